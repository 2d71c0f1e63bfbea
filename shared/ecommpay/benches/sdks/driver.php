<?php
// Measures the official PHP SDK: `php driver.php FOLDER`, where FOLDER is the folder of the SDK.
// Reads lines: the secret, the body, and then one number of repetitions in each line. Prints the name of the SDK, and
// then the nanoseconds that each number of repetitions took.

use ecommpay\Callback;
use ecommpay\SignatureHandler;

$folder = $argv[1];
spl_autoload_register(function (string $class) use ($folder) {
    require $folder . '/src/' . str_replace(['ecommpay\\', '\\'], ['', '/'], $class) . '.php';
});

function accepts(string $secret, string $body): bool
{
    try {
        return (new Callback($body, new SignatureHandler($secret)))->getPayment() !== null;
    } catch (ecommpay\exception\ProcessException $refused) {
        return false;
    }
}

$secret = rtrim(fgets(STDIN), "\n");
$body = rtrim(fgets(STDIN), "\n");
if (!accepts($secret, $body)) {
    exit("the SDK refuses the callback\n");
}
if (accepts($secret, str_replace('success', 'decline', $body))) {
    exit("the SDK accepts a changed callback\n");
}
$composer = json_decode(file_get_contents($folder . '/composer.json'), true);
echo $composer['name'], ' ', $composer['version'], ', PHP ', PHP_VERSION, "\n";

$handler = new SignatureHandler($secret);
while (($count = fgets(STDIN)) !== false) {
    $begin = hrtime(true);
    for ($left = (int) $count; $left > 0; $left--) {
        new Callback($body, $handler);
    }
    echo hrtime(true) - $begin, "\n";
}

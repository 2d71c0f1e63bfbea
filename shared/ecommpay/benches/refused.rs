//! Measures how long it takes to refuse a forged callback. Fails if an attack takes more than 20 times as long as a
//! usual body with a valid signature.
//!
//! The benchmark has 20 projects with two keys each. A function tries the keys of fewer projects on one body. For each
//! size of a body, the printed table has three times: for a usual body with a valid signature, for a usual body with a
//! forged signature, and for the slowest attack.
//!
//! `cargo bench --manifest-path shared/ecommpay/benches/Cargo.toml --bench refused`
#![allow(clippy::unwrap_used)]

use std::cmp::Reverse;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::signature::canonical;
use ecommpay::{Keyring, ProjectKey};
use payments::service::callback::verify;
use payments::service::project_keys::ProjectKeys;

const PROJECTS: u32 = 20;
const SIZES: [usize; 10] = [
    500, 1_000, 2_000, 4_000, 4_200, 16_000, 30_000, 64_000, 128_000, 256_000,
];
/// The maximum time of an attack, divided by the time of a usual verified body of the same size.
const MAX_RATIO: f64 = 20.0;
/// A signature of 64 bytes that no key made.
const FORGED: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

fn secret(project: u32, slot: &str) -> ProjectKey {
    ProjectKey::new(&format!("secret {slot} of {project}")).unwrap()
}

fn keys() -> ProjectKeys {
    let keyrings = (1..=PROJECTS).map(|project| {
        let keyring = Keyring::new(
            secret(project, "current"),
            Some(secret(project, "previous")),
        );
        (ProjectId::new(project.into()).unwrap(), keyring)
    });
    keyrings.collect::<Vec<_>>().into_iter().collect()
}

/// Returns a callback of about this size with the fields of a sale and further fields of a provider.
fn usual(size: usize, signature: &str) -> String {
    let head = r#"{"project_id":1,"payment":{"id":"order-1","type":"purchase","status":"success","date":"2019-07-02T09:28:29+0000","method":"bancontact","sum":{"amount":1000,"currency":"EUR"}},"operation":{"id":37493000003351,"type":"sale","status":"success","date":"2019-07-02T09:28:29+0000"},"provider_extra_fields":{"#;
    let tail = format!(r#""end":"1"}},"signature":"{signature}"}}"#);
    let mut body = head.to_owned();
    // The body has at most about 1,900 further keys, because the reader allows 2,000 keys. Therefore a large body has
    // long values.
    let room = size.saturating_sub(head.len() + tail.len());
    let length = (room / 1_900).max(24);
    let mut number = 0;
    while body.len() + tail.len() + length + 24 < size {
        let value = "v".repeat(length);
        body += &format!(r#""provider_field_{}":"{value}","#, letters(number));
        number += 1;
    }
    body + &tail
}

/// Returns a name of letters, because names with digits are sorted by another rule.
fn letters(mut number: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
        if number == 0 {
            return name;
        }
    }
}

/// Returns the usual body with the signature of the current key of project 1.
fn good(size: usize) -> String {
    let body = usual(size, FORGED);
    let message = parse(body.as_bytes(), Limits::CALLBACK).unwrap();
    let signature = secret(1, "current").sign(&canonical(&message)).to_base64();
    body.replace(FORGED, &signature)
}

/// Returns a body of at most about `size` bytes. It has a key of `long` bytes, whose value is an array or an object.
/// The elements or members are the texts of `member`. An object has at most 1,990 members, because the reader allows
/// 2,000 keys.
fn inflated(size: usize, long: usize, member: impl Fn(usize) -> String, is_array: bool) -> String {
    let (open, close) = if is_array { ("[", "]") } else { ("{", "}") };
    let mut body = format!(
        r#"{{"project_id":1,"signature":"{FORGED}","{}":{open}"#,
        "k".repeat(long)
    );
    let mut count = 0;
    while count < 1_990 || is_array {
        let next = member(count);
        if body.len() + next.len() + 4 > size {
            break;
        }
        if count > 0 {
            body.push(',');
        }
        body += &next;
        count += 1;
    }
    body + close + "}"
}

/// Returns the name and the body of each attack. No body has many more than `size` bytes.
fn attacks(size: usize) -> Vec<(String, String)> {
    let mut attacks = Vec::new();
    let digits = |count: usize| format!(r#""a{count}":1.0"#);
    let plain = |count: usize| format!(r#""{}":1"#, letters(count));
    let spaces = |count: usize| format!(r#""a {count}":1"#);
    let zeros =
        |count: usize| format!(r#""{}":1"#, "0".repeat(count % 40 + 1) + &count.to_string());
    let colons = |count: usize| format!(r#"":{count}:":1.50"#);
    // Each line of the canonical string repeats the long key. So a longer key makes a larger string, until the string
    // exceeds the maximum and the body is refused.
    for percent in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 50, 75, 90] {
        let long = size * percent / 100;
        let members: [(&str, &dyn Fn(usize) -> String); 5] = [
            (
                "names with digits, numbers that PHP prints differently",
                &digits,
            ),
            ("plain names", &plain),
            ("names with spaces", &spaces),
            ("names with leading zeros", &zeros),
            ("names with colons", &colons),
        ];
        for (name, member) in members {
            let body = inflated(size, long, member, false);
            attacks.push((format!("{name} under a key of {percent} %"), body));
        }
        let elements = inflated(size, long, |_| "1.0".to_owned(), true);
        attacks.push((format!("elements under a key of {percent} %"), elements));
    }
    // Many members with a common prefix: each comparison reads the prefix.
    for long in [10, 20, 40, 80, 120] {
        let common = |count: usize| format!(r#""{} {count}":1"#, "x".repeat(long));
        let body = inflated(size, 1, common, false);
        attacks.push((format!("names with a common prefix of {long}"), body));
        let numbers = |count: usize| format!(r#""{}{count}":1.0"#, "1".repeat(long));
        let body = inflated(size, 1, numbers, false);
        attacks.push((format!("numbers of {long} digits as names"), body));
    }
    // Many arrays under names that are slow to sort. In the canonical string, the line of each element repeats the
    // name.
    for members in [1, 20, 150, 500] {
        for long in [0, 8, 32, 64, 200] {
            let digits = "1".repeat(long);
            let pairs = "1 ".repeat(long / 2);
            let space = " ".repeat(long);
            let zeros = "0".repeat(long);
            for value in ["1", "1.0", "0.5", "1e3", "1e-300", "[]", "{}", "\"\""] {
                for name in [&digits, &pairs, &space, &zeros] {
                    let body = arrays(size, members, name, value);
                    let kind = name.chars().take(2).collect::<String>();
                    attacks.push((
                        format!("{members} arrays of `{value}`, names of {long} `{kind}`"),
                        body,
                    ));
                }
            }
        }
    }
    // Many objects under long names of numbers and spaces. The names of the members of these objects are also slow to
    // sort.
    for (prefix, suffix) in [(4, 16), (32, 0), (32, 16), (128, 4), (128, 16)] {
        for inner in ["a1", "1 ", ":"] {
            for value in ["1e-300", "5e-324", "1.7976931348623157e308"] {
                for count in [2, 3, 5, 8, 14, 20, 28, 40, 100, 300] {
                    let body = objects(size, (prefix, suffix), inner, value, count);
                    attacks.push((
                        format!(
                            "objects of {count} members `{inner}` with `{value}`, \
                             names of {prefix} and {suffix} `10 `"
                        ),
                        body,
                    ));
                }
            }
        }
    }
    // Numbers whose conversion to floating point or back is slow: many digits, ties, subnormal numbers.
    let long_fraction = format!("0.{}e-5", "1".repeat(300));
    let near_a_tie = format!("1.00000000000005{}1e-290", "0".repeat(700));
    let numbers = [
        "1e-320",
        "5e-324",
        "9e307",
        "100000000000005e0",
        "1000000000000.25e2",
        "4503599627370497.5e99",
        "1.70000000000000006055e-290",
        "1.70000000000000023795e300",
        "1.700000000000000060e-290",
        "1700000000000000060.0",
        "1.2345678901234567e-300",
        &long_fraction,
        &near_a_tie,
    ];
    let nested = [
        "\"\\u0031\"",
        "\"\\n\"",
        "null",
        "true",
        "[1e3]",
        "[[1]]",
        "[[[[[[[[[[1.0]]]]]]]]]]",
        "{\"1\":{\"2\":1.0}}",
        "{\"\":1e3}",
        "{\"a\":1}",
        "{\"b\":1e3,\"a\":1}",
        "{\"signature\":1}",
        "{\"frame_mode\":1.0}",
    ];
    for value in numbers.into_iter().chain(nested) {
        for members in [1, 20, 150] {
            let kind = value.chars().take(24).collect::<String>();
            for name in ["1 ", "a"] {
                let body = arrays(size, members, name, value);
                attacks.push((
                    format!("{members} arrays of `{kind}`, names that start with `{name}`"),
                    body,
                ));
            }
        }
    }
    // Objects with few members: the reader compares the names of members pairwise from the end. Also plain names in
    // reverse order.
    for long in [1, 16, 64, 256] {
        let object = |_: usize| {
            let members = (0..16)
                .rev()
                .map(|member| format!(r#""{}{}":1"#, letters(member), "x".repeat(long)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        attacks.push((
            format!("objects of 16 names with a common end of {long}"),
            inflated(size, 1, object, true),
        ));
        let reversed =
            |count: usize| format!(r#""{}{}":1e3"#, "x".repeat(long), letters(20_000 - count));
        attacks.push((
            format!("plain names in reverse order with a common prefix of {long}"),
            inflated(size, 1, reversed, false),
        ));
    }
    let spaces = " ".repeat(size.saturating_sub(150));
    attacks.push((
        "white space".to_owned(),
        format!(r#"{{"project_id":1,"signature":{spaces}"{FORGED}"}}"#),
    ));
    let equal = |count: usize| format!(r#""{}":1e3"#, letters(count % 1_900));
    attacks.push((
        "an equal name at the end".to_owned(),
        inflated(size, 1, equal, false),
    ));
    // Names that are written as escapes.
    let escaped = |count: usize| format!(r#""\u0031 {count}":1e-7"#);
    attacks.push((
        "names with escapes".to_owned(),
        inflated(size, 1, escaped, false),
    ));
    // Bodies without a project: the keys of several projects are tried.
    let unnamed: Vec<_> = attacks
        .iter()
        .map(|(name, body)| {
            (
                format!("{name}, without a project"),
                body.replace(r#""project_id":1,"#, ""),
            )
        })
        .collect();
    attacks.extend(unnamed);
    let deep = "{\"a\":".repeat(28);
    let mut members = String::new();
    let mut count = 0;
    while members.len() + 400 < size && count < 1_900 {
        members += &format!(r#""a{count}":1.0,"#);
        count += 1;
    }
    let nested = format!(
        r#"{{"project_id":1,"signature":"{FORGED}","b":{deep}{{{members}"z":1}}{}}}"#,
        "}".repeat(28)
    );
    attacks.push(("members below 28 levels".to_owned(), nested));
    let token = format!("1.{}", "0".repeat(size.saturating_sub(150)));
    let number = format!(r#"{{"project_id":1,"signature":"{FORGED}","n":{token}}}"#);
    attacks.push(("one long number".to_owned(), number));
    let escapes = r"\u0041".repeat(size.saturating_sub(150) / 6);
    let escaped = format!(r#"{{"project_id":1,"signature":"{FORGED}","n":"{escapes}"}}"#);
    attacks.push(("a text of escapes".to_owned(), escaped));
    attacks
}

/// Returns a body of at most about `size` bytes and 1,990 values. Each member is an array that repeats `value`. The
/// names start with `name` and end with different numbers, which are not in order.
fn arrays(size: usize, members: usize, name: &str, value: &str) -> String {
    let members = members.min(size / (2 * (name.len() + 12)) + 1);
    let names = members * (name.len() + 12);
    let growth = 4 * size / (members * (name.len() + 9 + value.len()));
    let room = size.saturating_sub(140 + names) / (members * (value.len() + 1));
    let count = room.min(growth).min(1_990 / members - 1).max(1);
    let values = vec![value; count].join(",");
    let mut body = format!(r#"{{"project_id":1,"signature":"{FORGED}","z":1.0"#);
    for member in 0..members {
        body += &format!(r#","{name}{}":[{values}]"#, 1_000 + member * 7_919 % 1_009);
    }
    body + "}"
}

/// Returns a body of at most `size` bytes and 1,990 values. The body has an object whose members are objects with
/// `count` members each. The name of an object has three parts: `prefix` times the text `10 `, a number, and `suffix`
/// times the text `10 `. The name of a member is 16 times `inner` and a number. The numbers are not in order. Every
/// second value is `value`, and the others are 1.
fn objects(
    size: usize,
    (prefix, suffix): (usize, usize),
    inner: &str,
    value: &str,
    count: usize,
) -> String {
    let mut body = format!(r#"{{"project_id":1,"signature":"{FORGED}","k":{{"a":1"#);
    let scattered = |number: usize| number * 7_919 % 2_003;
    for object in 0..1_990 / (count + 1) {
        let members = (0..count).map(|member| {
            let value = if member % 2 == 0 { "1" } else { value };
            format!(r#""{}{}":{value}"#, inner.repeat(16), scattered(member))
        });
        let name = format!(
            "{}{}{}",
            "10 ".repeat(prefix),
            1_000 + scattered(object),
            "10 ".repeat(suffix)
        );
        let members = members.collect::<Vec<_>>().join(",");
        let next = format!(r#","{name}":{{{members}}}"#);
        if body.len() + next.len() + 2 > size {
            break;
        }
        body += &next;
    }
    body + "}}"
}

/// Returns the time of the fastest of `runs` runs, after one run that is not measured.
fn time(body: &str, keys: &ProjectKeys, runs: usize) -> Duration {
    let run = || {
        let start = Instant::now();
        let _ = black_box(verify(black_box(body.as_bytes()), keys));
        start.elapsed()
    };
    run();
    (0..runs).map(|_| run()).min().unwrap()
}

fn main() {
    let keys = keys();
    println!("| bytes | verified | refused | slowest attack | of verified | of refused | attack |");
    println!("| --: | --: | --: | --: | --: | --: | --- |");
    let mut worst: f64 = 0.0;
    for size in SIZES {
        let (good, forged) = (good(size), usual(size, FORGED));
        assert!(verify(good.as_bytes(), &keys).is_ok());
        assert!(verify(forged.as_bytes(), &keys).is_err());
        let (good, forged) = (time(&good, &keys, 200), time(&forged, &keys, 200));
        let mut attacks = attacks(size);
        attacks.retain(|(_, body)| body.len() <= size);
        let mut first: Vec<_> = attacks
            .iter()
            .map(|attack| (time(&attack.1, &keys, 7), attack))
            .collect();
        first.sort_by_key(|(duration, _)| Reverse(*duration));
        // The slowest attacks are measured again, because another process could have slowed down a measurement.
        let again = first
            .iter()
            .take(12)
            .map(|(_, (name, body))| (time(body, &keys, 50), name));
        let (slowest, name) = again.max().unwrap();
        let ratio = slowest.as_secs_f64() / good.as_secs_f64();
        println!(
            "| {size} | {:.0} µs | {:.0} µs | {:.0} µs | {ratio:.1} | {:.1} | {name} |",
            good.as_secs_f64() * 1e6,
            forged.as_secs_f64() * 1e6,
            slowest.as_secs_f64() * 1e6,
            slowest.as_secs_f64() / forged.as_secs_f64(),
        );
        worst = worst.max(ratio);
    }
    println!(
        "\nThe slowest attack takes {worst:.1} times as long as a usual verified body; the maximum is {MAX_RATIO}."
    );
    if worst > MAX_RATIO {
        std::process::exit(1);
    }
}

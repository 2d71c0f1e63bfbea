#!/bin/sh
# Makes the stubs' certificates: root, intermediate and RSA-2048 leaf, like the certificates of AWS. The keys of the
# root and of the intermediate are deleted, so these two cannot sign further certificates. The leaf's key is public:
# never trust this root outside of a benchmark.
set -eu
cd "$(dirname "$0")"
secret=$(mktemp -d)
trap 'rm -rf "$secret"' EXIT

request() { # NAME SUBJECT
    openssl req -newkey rsa:2048 -nodes -keyout "$secret/$1.key" -out "$secret/$1.csr" -subj "/CN=$2" 2>/dev/null
}
sign() { # NAME ISSUER EXTENSIONS
    printf '%s\n' "$3" >"$secret/$1.ext"
    openssl x509 -req -in "$secret/$1.csr" -CA "$secret/$2.pem" -CAkey "$secret/$2.key" -CAcreateserial -days 36500 \
        -extfile "$secret/$1.ext" -out "$secret/$1.pem" 2>/dev/null
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$secret/root.key" -out "$secret/root.pem" -days 36500 \
    -subj "/CN=Bench, not to be trusted" -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
request middle "Bench, intermediate"
sign middle root 'basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign'
request leaf "Bench, stubs"
sign leaf middle 'basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,DNS:*.eu-west-1.amazonaws.com,DNS:api.ecommpay.com,IP:127.0.0.1'

cp "$secret/root.pem" root.pem
cat "$secret/leaf.pem" "$secret/middle.pem" >chain.pem
cp "$secret/leaf.key" stub.key

#!/bin/sh
# Makes the certificates of the tests' endpoints: a root, and two certificates for `shop.example`, of which one has
# expired. The key of the root is deleted, so that the root cannot sign further certificates. The key of the endpoints
# is public: never trust this root outside of a test.
set -eu
cd "$(dirname "$0")"
secret=$(mktemp -d)
trap 'rm -rf "$secret"' EXIT

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
sign() { # NAME START END
    printf '%s = %s\n' basicConstraints CA:FALSE keyUsage critical,digitalSignature extendedKeyUsage serverAuth \
        subjectAltName DNS:shop.example,IP:127.0.0.1 >"$secret/extensions"
    openssl ca -batch -notext -config "$secret/config" -cert root.pem -keyfile "$secret/root.key" -in "$secret/csr" \
        -extfile "$secret/extensions" -startdate "$2" -enddate "$3" -out "$1.pem"
}

key "$secret/root.key"
key endpoint.key
openssl req -x509 -key "$secret/root.key" -out root.pem -days 36500 -subj "/CN=Endpoints, not to be trusted" \
    -addext keyUsage=critical,keyCertSign,cRLSign
openssl req -new -key endpoint.key -out "$secret/csr" -subj "/CN=Endpoint"

touch "$secret/index"
printf '%s\n' '[ca]' 'default_ca = here' '[here]' "database = $secret/index" "new_certs_dir = $secret" \
    'rand_serial = yes' 'default_md = sha256' 'policy = any' 'unique_subject = no' '[any]' 'commonName = supplied' \
    >"$secret/config"
sign valid 20190101000000Z 21260101000000Z
sign expired 20190101000000Z 20190702000000Z

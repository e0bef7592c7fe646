# Makes two authorities in the folder $1, ca.pem, and other.pem; and in the folder $2 a certificate of the first for the address $3,
# server.crt, and its key.
certify() {
    new="openssl req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    for name in ca other; do
        $new -keyout "$1/$name.key" -out "$1/$name.pem" -subj "/CN=$name" || return
    done
    $new -CA "$1/ca.pem" -CAkey "$1/ca.key" -keyout "$2/server.key" -out "$2/server.crt" \
        -subj /CN=server -addext "subjectAltName=IP:$3" -addext basicConstraints=critical,CA:FALSE || return
    chmod 600 "$2/server.key"
    chmod 644 "$1/ca.pem" "$1/other.pem"
}


# $1: address; $2: port; $3: "tls" for one that takes nothing else. Prints "started<tab>FOLDER" once the server answers, or a reason.
# Then obeys the words of standard input, each with a line of answer, and stops the server when that ends.
fail() { echo "$1"; exit 1; }

folder=$(mktemp -d /tmp/symbolon-redis.XXXXXX) || fail "no temporary folder"
socket=$folder/redis.sock
# Ctrl-C reaches this shell as well, and nobody may be left who reads what it says: it has to clean up.
trap '' INT HUP TERM PIPE
trap 'stop; rm -rf "$folder"' EXIT
cd "$folder" || fail "no temporary folder"

pid=
stop() {
    [ -z "$pid" ] && return
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
}

doors="--port $2"
if [ "$3" = tls ]; then
    certify "$folder" "$folder" "$1" >"$folder/openssl.log" 2>&1 </dev/null || fail "no certificates: $(tail -n 1 "$folder/openssl.log")"
    doors="--port 0 --tls-port $2 --tls-cert-file server.crt --tls-key-file server.key --tls-ca-cert-file ca.pem --tls-auth-clients no"
fi

# Returns once it answers.
start() {
    redis-server --bind "$1" $doors --unixsocket "$socket" --save '' --appendonly no --protected-mode no >/dev/null </dev/null &
    pid=$!
    # Ten looks a second, for a minute.
    looks=600
    until [ "$(redis-cli -s "$socket" ping 2>/dev/null </dev/null)" = PONG ]; do
        kill -0 "$pid" 2>/dev/null || fail "it has ended"
        looks=$((looks - 1))
        [ "$looks" -gt 0 ] || fail "it does not answer"
        sleep 0.1
    done
}
start "$1"
printf 'started\t%s\n' "$folder"

# Until the other end of the pipe is gone.
while read -r word; do
    case $word in
        crash) stop; echo crashed ;;
        start) start "$1"; echo started ;;
    esac
done

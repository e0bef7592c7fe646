# $1: address; $2: port. Prints "started" once the server answers, or a reason. Then stops the server when standard input ends.

# Ctrl-C reaches this shell as well, which has to clean up.
trap '' INT
redis-server --bind "$1" --port "$2" --save '' --appendonly no --protected-mode no >/dev/null &
pid=$!

fail() { echo "$1"; kill -9 "$pid" 2>/dev/null; exit 1; }

# Ten looks a second, for a minute.
looks=600
until [ "$(redis-cli -h "$1" -p "$2" ping 2>/dev/null </dev/null)" = PONG ]; do
    kill -0 "$pid" 2>/dev/null || fail "it has ended"
    looks=$((looks - 1))
    [ "$looks" -gt 0 ] || fail "it does not answer"
    sleep 0.1
done
echo started

cat >/dev/null
kill -9 "$pid"
wait "$pid"

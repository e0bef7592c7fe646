# $1: options of the server; $2: the folder of one that it is a standby of, if any; $3: the MiB of a disk of its own, if it is to have one; $4: what is
# said where that may not be. Prints "FOLDER<tab>BINARIES" once the server answers, or a reason. Then obeys the words of standard
# input, each with a line of answer, and stops the server when that ends.
fail() { echo "$1"; exit 1; }

binaries=
for folder in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -V -r) \
    "$(dirname "$(readlink -f "$(command -v initdb || echo /)")")"; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && [ -x "$folder/createdb" ]; then
        binaries=$folder
        break
    fi
done
[ -n "$binaries" ] || fail "not found"

# Not $TMPDIR: the path of a socket has at most 107 bytes.
folder=$(mktemp -d /tmp/symbolon-pg.XXXXXX) || fail "no temporary folder"
# Ctrl-C reaches this shell as well, and nobody may be left who reads what it says: it has to clean up.
trap '' INT HUP TERM PIPE
disk=
segment=16
trap 'cd /; [ -z "$disk" ] || umount -l "$folder"; rm -rf "$folder"' EXIT
if [ -n "$3" ]; then
    mount -t tmpfs -o "size=${3}m,mode=755" tmpfs "$folder" 2>/dev/null || fail "$4"
    disk=$3
    segment=1
fi

# The server refuses to run as root.
as=
if [ "$(id -u)" = 0 ]; then
    user=nobody
    id postgres >/dev/null 2>&1 && user=postgres
    chown "$user" "$folder"
    if command -v setpriv >/dev/null; then
        as="setpriv --reuid=$user --regid=$(id -g $user) --clear-groups"
    elif command -v runuser >/dev/null; then
        as="runuser -u $user --"
    else
        fail "it does not run as root, and there is neither setpriv nor runuser"
    fi
fi
cd "$folder" || fail "no temporary folder"

if [ -z "$2" ]; then
    $as "$binaries/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --wal-segsize="$segment" >"$folder/initdb.log" 2>&1 </dev/null \
        || fail "initdb failed: $(tail -n 1 "$folder/initdb.log")"
else
    $as "$binaries/pg_basebackup" -h "$2" -U postgres -D "$folder/data" -R -c fast --no-sync >"$folder/initdb.log" 2>&1 </dev/null \
        || fail "pg_basebackup failed: $(tail -n 1 "$folder/initdb.log")"
fi
address=
start() {
    $as "$binaries/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/data/server.log" \
        -o "-k $folder -c listen_addresses='$address' -c max_connections=200 $1" start >/dev/null 2>&1 </dev/null
}
start "$1" || fail "it does not start: $(tail -n 1 "$folder/data/server.log" 2>/dev/null)"
printf '%s\t%s\n' "$folder" "$binaries"

# A server that also takes TLS at an address of this machine, with the certificate of an authority, and another authority.
secure() {
    address=$1
    certify "$folder" "$folder/data" "$address" || return
    chown --reference="$folder/data" "$folder/data/server.key" "$folder/data/server.crt"
    sed -i '/^host/d' "$folder/data/pg_hba.conf"
    echo 'hostssl all all 127.0.0.0/8 scram-sha-256' >>"$folder/data/pg_hba.conf"
    echo 'ssl = on' >>"$folder/data/postgresql.conf"
    $as "$binaries/pg_ctl" -D "$folder/data" -w -m fast stop && start "$2"
}

# Until the other end of the pipe is gone.
while read -r word rest; do
    pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)
    case $word in
        crash)
            # Its own processes first, which would otherwise end in order.
            pkill -9 -P "$pid"
            kill -9 "$pid"
            while kill -0 "$pid" 2>/dev/null; do :; done
            echo crashed
            ;;
        freeze) kill -STOP "$pid"; pkill -STOP -P "$pid"; echo frozen ;;
        thaw) pkill -CONT -P "$pid"; kill -CONT "$pid"; echo thawed ;;
        fill) dd if=/dev/zero of="$folder/filler" bs=64k 2>/dev/null; cat /dev/zero >>"$folder/filler" 2>/dev/null; echo filled ;;
        empty)
            rm "$folder/filler"
            looks=0
            until "$binaries/pg_isready" -q -h "$folder" || [ "$((looks += 1))" -gt 600 ]; do
                sleep 0.1
                $as "$binaries/pg_ctl" -D "$folder/data" status >/dev/null 2>&1 || start "$1"
            done
            "$binaries/pg_isready" -q -h "$folder" && echo emptied || echo "it does not answer"
            ;;
        secure) secure "$rest" "$1" >"$folder/secure.log" 2>&1 </dev/null && echo secured || tail -n 1 "$folder/secure.log" ;;
        start) start "$1" && echo started || echo "it does not start" ;;
    esac
done
$as "$binaries/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 </dev/null

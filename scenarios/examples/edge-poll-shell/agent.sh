#!/bin/sh
# An edge poll agent in POSIX sh, curl, awk and coreutils on Linux: polls for commands, executes them in order,
# acknowledges and reports. Neighbours: http.sh (calls), commands.sh (three commands), update.sh (the fourth), json.awk.
#
# Three processes share the state folder: this one polls and fills queue/, one works the queue off and fills outbox/,
# one empties outbox/. All files that matter are replaced as a whole, so the agent may be killed at any instant.

set -u
export LC_ALL=C
umask 077
HERE=$(cd "$(dirname "$0")" && pwd)

. "$HERE/http.sh"
. "$HERE/commands.sh"
. "$HERE/update.sh"

TAB=$(printf '\t')
STATE=${HIL_STATE_DIR:?state folder missing}
RUN=$STATE/run
KEY_HEADER=$STATE/key.header
CA_FILE=${HIL_CA_FILE:-}
OWN_SERVICE=edge-agent
OWN_SNAP=${HIL_SNAP_NAME:-edge-agent}
SERVICES=${HIL_SERVICES:-$OWN_SERVICE telemetry collector}

# ---------------------------------------------------------------- start

main() {
	ROLE=poll
	_base=${HIL_BASE_URL:?base URL missing}
	_base=${_base%/}
	API=${_base%/api/v1}/api/v1
	case $API in
	https://*) LAB=no LEAST=500 ;;
	http://*) LAB=yes LEAST=100 ;; # plain HTTP is for the lab only
	*) log error "base URL is neither http nor https"; exit 2 ;;
	esac
	parse_interval "${HIL_POLL_INTERVAL:-30}" || { log error "poll interval not understood"; exit 2; }
	DEFAULT_T=$T
	mkdir -p "$STATE" || exit 2
	for _dir in queue started done outbox download snaps services; do mkdir -p "$STATE/$_dir"; done
	rm -rf "$RUN"
	mkdir -p "$RUN/retry" "$RUN/items"
	keep_key
	BOOT=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
	MAIN=$$
	put "$RUN/boot" "$BOOT"
	put "$RUN/interval" "$T"
	factory_state
	count_start "$STATE/services/$OWN_SERVICE"
	read_version "$OWN_SNAP"
	log info "started, boot $BOOT, $OWN_SNAP $VERSION, interval $(seconds "$T") s"
	trap 'stop 0' TERM INT
	trap 'RESTART=yes' USR1
	RESTART=no
	WORKER= SENDER=
	poll_for_ever
}

# Keeps the key in a header file only its owner can read; a key from the environment replaces the stored one.
keep_key() {
	if [ -n "${HIL_DEVICE_KEY:-}" ]; then
		case $HIL_DEVICE_KEY in *[!!-~]*) log error "device key has characters that are not allowed"; exit 2 ;; esac
		printf 'X-Device-Key: %s\n' "$HIL_DEVICE_KEY" >"$KEY_HEADER.new" && mv "$KEY_HEADER.new" "$KEY_HEADER"
	fi
	unset HIL_DEVICE_KEY
	[ -s "$KEY_HEADER" ] || { log error "device key missing"; exit 2; }
}

# What a unit holds when it leaves the factory.
factory_state() {
	if [ ! -e "$STATE/snaps/$OWN_SNAP/version" ]; then
		mkdir -p "$STATE/snaps/$OWN_SNAP"
		put "$STATE/snaps/$OWN_SNAP/version" "${HIL_SNAP_VERSION:-1.0.0}"
	fi
	for _service in $SERVICES; do
		[ -d "$STATE/services/$_service" ] && continue
		mkdir -p "$STATE/services/$_service"
		[ "$_service" = "$OWN_SERVICE" ] || count_start "$STATE/services/$_service"
	done
	[ -e "$STATE/config" ] || put "$STATE/config" ""
}

stop() {
	trap '' TERM INT
	for _child in $WORKER $SENDER ${NAP:-}; do kill "$_child" 2>/dev/null; done
	if [ "$1" = restart ]; then
		trap - TERM INT USR1
		exec /bin/sh "$HERE/agent.sh"
	fi
	log info "stopped"
	exit "$1"
}

# ---------------------------------------------------------------- polling

poll_for_ever() {
	FAILURES=0
	CONFIGURED=
	adopt_configuration
	random $((T < 1000 ? T / 2 + 1 : 500))
	now
	NEXT=$((NOW + RANDOM_NUMBER))
	while :; do
		keep_running
		wait_until_next
		now
		_started=$NOW
		poll_once
		[ "$RESTART" = yes ] && stop restart
		adopt_configuration
		[ -z "$HINT" ] || T=$HINT
		[ "$T" = "$(cat "$RUN/interval")" ] || put "$RUN/interval" "$T"
		if [ "$FAILURES" -gt 0 ]; then
			backoff "$FAILURES"
			NEXT=$((_started + GAP))
		else
			random $((T / 5 + 1))
			NEXT=$((_started + T - T / 10 + RANDOM_NUMBER))
			now
			[ "$NEXT" -gt "$NOW" ] || NEXT=$((NOW + T)) # late: no burst to catch up
		fi
	done
}

keep_running() {
	kill -0 "${WORKER:-0}" 2>/dev/null && [ -n "$WORKER" ] || { (ROLE=work; trap - TERM INT USR1; work_for_ever) & WORKER=$!; }
	kill -0 "${SENDER:-0}" 2>/dev/null && [ -n "$SENDER" ] || { (ROLE=send; trap - TERM INT USR1; send_for_ever) & SENDER=$!; }
}

wait_until_next() {
	while :; do
		[ "$RESTART" = yes ] && stop restart
		allowed || [ "$_until" -le "$NEXT" ] || NEXT=$_until
		now
		[ "$NOW" -lt "$NEXT" ] || return
		sleep "$(seconds $((NEXT - NOW)))" &
		NAP=$!
		wait "$NAP"
		kill "$NAP" 2>/dev/null
		NAP=
	done
}

# One poll; sets FAILURES and HINT.
poll_once() {
	HINT=
	: >"$RUN/poll.start"
	api GET '/commands?limit=50' "$RUN/poll"
	case $CODE in
	200)
		FAILURES=0
		read_hint
		if awk -f "$HERE/json.awk" "$RUN/poll" >"$RUN/poll.tokens" 2>/dev/null && member "$RUN/poll.tokens" '$' && [ "$TYPE" = a ]; then
			take_items "$VALUE"
		else
			log warn "poll answer is malformed, nothing executed"
		fi
		;;
	204 | 304)
		FAILURES=0
		read_hint
		;;
	*)
		FAILURES=$((FAILURES + 1))
		log warn "poll failed with $CODE ($FAILURES in a row)"
		;;
	esac
}

# The interval hint of an answer, clamped; anything but a positive whole number is ignored.
read_hint() {
	_hint=$(header "$RUN/poll.head" X-Poll-Interval)
	case $_hint in '' | *[!0-9]* | 0*) return ;; esac
	[ "${#_hint}" -le 5 ] && [ "$_hint" -le 86400 ] || _hint=86400
	HINT=$((_hint * 100))
	[ "$HINT" -ge "$LEAST" ] || HINT=$LEAST
}

# A changed poll_interval_s sets T; an unchanged one leaves a later hint in force.
adopt_configuration() {
	setting poll_interval_s
	[ "$VALUE" = "$CONFIGURED" ] && return
	CONFIGURED=$VALUE
	T=${VALUE:+$((VALUE * 100))}
	T=${T:-$DEFAULT_T}
}

# take_items COUNT: files each item of the poll answer that is not known yet, in list order.
take_items() {
	rm -f "$RUN/items/"*
	awk -F "$TAB" -v dir="$RUN/items" '
		match($1, /^\$\.[0-9]+/) {
			n = substr($1, 3, RLENGTH - 2)
			if (n != last && last != "") close(dir "/" last)
			last = n
			print "$" substr($1, RLENGTH + 1) "\t" $2 "\t" $3 > (dir "/" n)
		}' "$RUN/poll.tokens"
	_n=0
	while [ "$_n" -lt "$1" ] && [ "$_n" -lt 200 ]; do
		take_item "$RUN/items/$_n"
		_n=$((_n + 1))
	done
}

take_item() {
	if ! member "$1" '$.id' || [ "$TYPE" != s ] || ! valid_id "$VALUE"; then
		log warn "item without a usable id skipped"
		return
	fi
	_id=$VALUE
	if [ -e "$STATE/done/$_id" ]; then
		# Executed already: say it again, unless that is under way or was settled after this poll began.
		exists "$STATE"/outbox/*."$_id" || [ "$STATE/done/$_id" -nt "$RUN/poll.start" ] ||
			exists "$STATE"/queue/*."$_id" || resend "$_id"
		return
	fi
	exists "$STATE"/queue/*."$_id" && return
	next_number queue
	put_file "$STATE/queue/$(printf %010d "$NUMBER").$_id" "$1"
	log info "queued $_id"
}

resend() {
	log info "$1 delivered again, acknowledged again"
	put "$STATE/outbox/0000000000.ack.$1" "/commands/$1/ack
$(cat "$STATE/done/$1")"
}

# ---------------------------------------------------------------- sending

send_for_ever() {
	while alive; do
		send_pass
		sleep 0.2
	done
}

# Sends what is due; messages of one command stay in order.
send_pass() {
	_blocked=' '
	for _file in "$STATE"/outbox/*; do
		[ -e "$_file" ] || continue
		_name=${_file##*/}
		_id=${_name##*.}
		_kind=${_name#*.}
		_kind=${_kind%%.*}
		case $_blocked in *" $_id "*) continue ;; esac
		_tries=0 _due=0
		{ read -r _tries _due <"$RUN/retry/$_name"; } 2>/dev/null
		allowed || return
		if [ "$NOW" -lt "$_due" ]; then
			_blocked="$_blocked$_id "
			continue
		fi
		alive || return
		{
			read -r _to
			cat >"$RUN/send.body"
		} <"$_file"
		api POST "$_to" "$RUN/send.answer" -H 'Content-Type: application/json' --data-binary "@$RUN/send.body"
		case $CODE in
		2?? | 404 | 409 | 410) settle ;;
		400 | 413 | 415)
			if [ "$_kind" = ack ]; then minimise; else settle; fi
			;;
		000 | 3?? | 401 | 403 | 408 | 425 | 429 | 500 | 502 | 503 | 504) hold ;;
		*) settle ;;
		esac
	done
}

settle() {
	log info "$_kind for $_id settled with $CODE"
	[ ! -e "$STATE/done/$_id" ] || touch "$STATE/done/$_id"
	rm -f "$_file" "$RUN/retry/$_name"
}

hold() {
	_tries=$((_tries + 1))
	backoff "$_tries"
	now
	put "$RUN/retry/$_name" "$_tries $((NOW + GAP))"
	_blocked="$_blocked$_id "
	log warn "$_kind for $_id kept after $CODE"
}

# One more try with the status alone.
minimise() {
	_status=$(sed -n '1s/^{"status":"\([a-z_]*\)".*/\1/p' "$RUN/send.body")
	log warn "ack for $_id refused with $CODE, one more try with the status alone"
	put "$STATE/outbox/${_name%%.*}.least.$_id" "$_to
{\"status\":\"$_status\"}"
	rm -f "$_file" "$RUN/retry/$_name"
}

# ---------------------------------------------------------------- state

# False once another instance has taken over the state folder or this one's main process is gone.
alive() {
	_boot=
	{ read -r _boot <"$RUN/boot"; } 2>/dev/null
	[ "$_boot" = "$BOOT" ] && kill -0 "$MAIN" 2>/dev/null
}

# put FILE TEXT: replaces FILE as a whole, on disk before it takes its name.
put() {
	printf '%s\n' "$2" >"$RUN/$ROLE.tmp" && sync "$RUN/$ROLE.tmp" && mv "$RUN/$ROLE.tmp" "$1"
}

put_file() {
	cp "$2" "$RUN/$ROLE.tmp" && sync "$RUN/$ROLE.tmp" && mv "$RUN/$ROLE.tmp" "$1"
}

# next_number NAME: sets NUMBER; numbers rise across restarts.
next_number() {
	NUMBER=0
	{ read -r NUMBER <"$STATE/number.$1"; } 2>/dev/null
	NUMBER=$((NUMBER + 1))
	put "$STATE/number.$1" "$NUMBER"
}

exists() {
	[ -e "$1" ]
}

# member FILE PATH: sets TYPE and VALUE from tokens; false if there is no such member.
member() {
	TYPE= VALUE=
	while IFS=$TAB read -r _path _type _value; do
		if [ "$_path" = "$2" ] && [ "$_type" != D ]; then
			TYPE=$_type VALUE=$_value
		fi
	done <"$1"
	[ -n "$TYPE" ]
}

# setting KEY: sets VALUE from the configuration, empty if not set.
setting() {
	VALUE=$(sed -n "s/^$1=//p" "$STATE/config")
}

read_interval() {
	{ read -r T <"$RUN/interval"; } 2>/dev/null
}

# read_version SNAP: sets VERSION, empty if the snap is not installed.
read_version() {
	VERSION=
	{ read -r VERSION <"$STATE/snaps/$1/version"; } 2>/dev/null
}

# count_start FOLDER: a service or snap has started once more.
count_start() {
	_starts=0
	{ read -r _starts <"$1/starts"; } 2>/dev/null
	timestamp
	put "$1/active_since" "$TIMESTAMP"
	put "$1/starts" "$((_starts + 1))"
}

timestamp() {
	TIMESTAMP=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
}

# parse_interval TEXT: 30, 30s, 1.5, 500ms; sets T in hundredths of a second.
parse_interval() {
	case $1 in
	*ms) _scale=10000 _number=${1%ms} ;;
	*s) _scale=10 _number=${1%s} ;;
	*) _scale=10 _number=$1 ;;
	esac
	case $_number in '' | *[!0-9.]* | *.*.* | .*) return 1 ;; esac
	T=$(awk -v n="$_number" -v scale="$_scale" 'BEGIN { printf "%d", n * 1000 / scale }')
	[ "$T" -gt 0 ]
}

valid_id() {
	case $1 in '' | *[!A-Za-z0-9_-]*) return 1 ;; esac
	[ "${#1}" -le 64 ]
}

# log LEVEL TEXT: the key is never part of any text.
log() {
	setting_level=info
	[ ! -e "$STATE/config" ] || setting_level=$(sed -n 's/^log_level=//p' "$STATE/config")
	case ${setting_level:-info}.$1 in
	error.warn | error.info | error.debug | warn.info | warn.debug | info.debug) return ;;
	esac
	printf '%s %s %s\n' "$(date -u +%H:%M:%S.%3N)" "$1" "$2"
}

main

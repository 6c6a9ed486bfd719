# Requests to the cloud: one curl call each, always bounded in time and size. Sourced by agent.sh.

# What every call shares. -q: no user configuration; -g: no globbing in URLs; redirects are never followed by curl
# itself, because it would hand the device key on to the next origin. Replaces the shell: call it in a subshell.
bounded_curl() {
	exec curl -q -s -g --noproxy '*' --proto '=http,https' --tlsv1.2 ${CA_FILE:+--cacert "$CA_FILE"} \
		--connect-timeout 10 --max-redirs 0 "$@"
}

# api METHOD PATH OUT [curl arguments]: sets CODE; 000 is a transport error. The key travels in a header file, so it
# is in no argument list. The answer is in OUT, its headers in OUT.head. More than 1 MiB counts as a transport error.
api() {
	_method=$1 _path=$2 _out=$3
	shift 3
	rm -f "$_out" "$_out.head"
	CODE=$(
		ulimit -c 0
		ulimit -f 2049
		read_version "$OWN_SNAP"
		bounded_curl --max-time 30 --speed-limit 1 --speed-time 20 -X "$_method" -o "$_out" -D "$_out.head" \
			-w '%{http_code}' -H "@$KEY_HEADER" -H "X-Boot-Id: $BOOT" -H "X-Agent-Version: $VERSION" \
			-H 'Accept: application/json' "$@" "$API$_path" 2>/dev/null
	) || CODE=000
	case $CODE in 429 | 503) note_retry_after "$_out.head" ;; esac
}

# header FILE NAME: the value of a header in the last header block of FILE.
header() {
	awk -v want="$2" '
		/^HTTP\// { found = "" }
		{
			sub(/\r$/, "")
			colon = index($0, ":")
			if (colon && tolower(substr($0, 1, colon - 1)) == tolower(want)) {
				found = substr($0, colon + 1)
				gsub(/^[ \t]+|[ \t]+$/, "", found)
			}
		}
		END { print found }' "$1" 2>/dev/null
}

# Keeps the Retry-After of an answer as the earliest instant of the next call. A date is counted from the answer's own
# Date, so the unit's clock may be wrong.
note_retry_after() {
	_after=$(header "$1" Retry-After)
	case $_after in
	'') return ;;
	*[!0-9]*)
		_then=$(date -u -d "$_after" +%s 2>/dev/null) || return
		_base=$(date -u -d "$(header "$1" Date)" +%s 2>/dev/null) || _base=
		[ -n "$(header "$1" Date)" ] && [ -n "$_base" ] || _base=$(date +%s)
		_after=$((_then - _base + 1))
		[ "$_after" -gt 0 ] || return
		;;
	esac
	[ "${#_after}" -le 5 ] && [ "$_after" -le 86400 ] || _after=86400
	now
	put "$RUN/not_before" "$((NOW + _after * 100))"
}

# True when no Retry-After forbids a call.
allowed() {
	_until=0
	{ read -r _until <"$RUN/not_before"; } 2>/dev/null
	now
	[ "$NOW" -ge "${_until:-0}" ]
}

# backoff N: sets GAP, in hundredths of a second, uniform between T and min(max(T, 300 s), T * 2^N).
backoff() {
	read_interval
	_n=$1
	[ "$_n" -le 15 ] || _n=15
	_top=$((T * (1 << _n)))
	_cap=30000
	[ "$T" -le $_cap ] || _cap=$T
	[ "$_top" -le $_cap ] || _top=$_cap
	random $((_top - T + 1))
	GAP=$((T + RANDOM_NUMBER))
}

# Sets NOW: hundredths of a second since the machine started; immune to changes of the clock.
now() {
	read -r _up _ </proc/uptime
	NOW=${_up%.*}${_up#*.}
}

# random N: sets RANDOM_NUMBER to 0..N-1.
random() {
	RANDOM_NUMBER=$(od -An -N4 -tu4 /dev/urandom)
	RANDOM_NUMBER=$((RANDOM_NUMBER % $1))
}

# seconds CS: prints hundredths of a second as a decimal number of seconds.
seconds() {
	printf '%d.%02d' $(($1 / 100)) $(($1 % 100))
}

# Reads one JSON text (RFC 8259) and prints one line per value: path TAB type TAB value.
#
# The path starts with "$"; members and items are joined with ".", and characters of a member name outside
# [A-Za-z0-9_-] become "%", so that a name can neither hold a "." nor a TAB. Types: o object, a array (value: number of
# entries), s string (decoded), n number (as written), b true or false, z null, D a member name given twice (value:
# the name). Control characters in strings become \001, which no rule of the agent accepts. Exit status 2: not JSON, or
# nested deeper than 32.

BEGIN {
	RS = "\036"
	FS = "\036"
	for (n = 0; n < 256; n++) byte[n] = sprintf("%c", n)
	for (n = 0; n < 10; n++) hex[n ""] = n
	split("a b c d e f", letter, " ")
	for (n = 1; n <= 6; n++) {
		hex[letter[n]] = 9 + n
		hex[toupper(letter[n])] = 9 + n
	}
}

{
	if (NR > 1) fail()
	s = $0
	i = 1
	value("$", 0)
	space()
	if (i <= length(s)) fail()
}

END {
	if (NR == 0) exit 2
}

function fail() {
	exit 2
}

function space(  c) {
	while ((c = substr(s, i, 1)) == " " || c == "\n" || c == "\t" || c == "\r") i++
}

function value(path, depth,  c) {
	space()
	c = substr(s, i, 1)
	if (c == "{") object(path, depth + 1)
	else if (c == "[") array(path, depth + 1)
	else if (c == "\"") print path "\ts\t" text()
	else if (substr(s, i, 4) == "true") { i += 4; print path "\tb\ttrue" }
	else if (substr(s, i, 5) == "false") { i += 5; print path "\tb\tfalse" }
	else if (substr(s, i, 4) == "null") { i += 4; print path "\tz\tnull" }
	else print path "\tn\t" number()
}

function object(path, depth,  c, key, member, count) {
	if (depth > 32) fail()
	i++
	space()
	count = 0
	if (substr(s, i, 1) == "}") {
		i++
		print path "\to\t0"
		return
	}
	for (;;) {
		space()
		if (substr(s, i, 1) != "\"") fail()
		key = text()
		gsub(/[^A-Za-z0-9_-]/, "%", key)
		member = path "." key
		if (member in seen) print path "\tD\t" key
		seen[member] = 1
		space()
		if (substr(s, i, 1) != ":") fail()
		i++
		value(member, depth)
		count++
		space()
		c = substr(s, i, 1)
		i++
		if (c == "}") break
		if (c != ",") fail()
	}
	print path "\to\t" count
}

function array(path, depth,  c, count) {
	if (depth > 32) fail()
	i++
	space()
	count = 0
	if (substr(s, i, 1) == "]") {
		i++
		print path "\ta\t0"
		return
	}
	for (;;) {
		value(path "." count, depth)
		count++
		space()
		c = substr(s, i, 1)
		i++
		if (c == "]") break
		if (c != ",") fail()
	}
	print path "\ta\t" count
}

function number(  from, t) {
	from = i
	while (index("+-.0123456789eE", substr(s, i, 1)) && i <= length(s)) i++
	t = substr(s, from, i - from)
	if (t !~ /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/) fail()
	return t
}

function text(  r, j, c) {
	i++
	r = ""
	for (;;) {
		j = i
		while ((c = substr(s, j, 1)) != "\"" && c != "\\" && c != "") {
			if (c < " ") fail()
			j++
		}
		r = r substr(s, i, j - i)
		i = j + 1
		if (c == "") fail()
		if (c == "\"") {
			gsub(/[\001-\037\177]/, "\001", r)
			return r
		}
		c = substr(s, i, 1)
		i++
		if (c == "\"" || c == "\\" || c == "/") r = r c
		else if (c == "b" || c == "f" || c == "n" || c == "r" || c == "t") r = r "\001"
		else if (c == "u") r = r escaped()
		else fail()
	}
}

# The UTF-8 bytes of the \uXXXX at i (after the "u"), a surrogate pair taken together.
function escaped(  cp, low) {
	cp = unit()
	if (cp >= 55296 && cp < 56320 && substr(s, i, 2) == "\\u") {
		i += 2
		low = unit()
		if (low < 56320 || low > 57343) return "\001"
		cp = 65536 + (cp - 55296) * 1024 + (low - 56320)
	}
	if (cp < 32 || cp == 127 || (cp >= 55296 && cp <= 57343)) return "\001"
	if (cp < 128) return byte[cp]
	if (cp < 2048) return byte[192 + int(cp / 64)] byte[128 + cp % 64]
	if (cp < 65536) return byte[224 + int(cp / 4096)] byte[128 + int(cp / 64) % 64] byte[128 + cp % 64]
	return byte[240 + int(cp / 262144)] byte[128 + int(cp / 4096) % 64] byte[128 + int(cp / 64) % 64] byte[128 + cp % 64]
}

function unit(  n, c, k) {
	n = 0
	for (k = 0; k < 4; k++) {
		c = substr(s, i, 1)
		i++
		if (!(c in hex)) fail()
		n = n * 16 + hex[c]
	}
	return n
}

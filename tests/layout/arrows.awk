# Reads the names of all sources and headers on standard input. Variables:
# table (arrows.txt), objects (a file naming the objects of the build) and root
# (what the compiler puts before the names of our files).

function say(text) {
	print text
	failed = 1
}

function read_row(text,    cell, name, word, names, n, i, j) {
	if (split(text, cell, "|") != 3) {
		say(table ": not a row: " text)
		return
	}
	names = split(cell[1], name)
	for (i = 1; i <= names; i++) {
		row[name[i]] = 1
		n = split(cell[2], word)
		for (j = 1; j <= n; j++)
			may[name[i], word[j]] = 1
		n = split(cell[3], word)
		for (j = 1; j <= n; j++)
			may_use[name[i], word[j]] = 1
	}
}

# library NAME = HEADER...
function read_library(text,    word, n, i) {
	n = split(text, word)
	for (i = 4; i <= n; i++)
		library[word[i]] = word[2]
}

function read_table(    line, text) {
	text = ""
	while ((getline line < table) > 0) {
		if (line ~ /^(#|[ \t]*$)/)
			continue
		if (line ~ /^library /) {
			read_library(line)
			continue
		}
		# A row goes on in the next line until its third cell is there.
		text = text " " line
		if (text !~ /\|.*\|/)
			continue
		read_row(text)
		text = ""
	}
	close(table)
	if (text != "")
		read_row(text)
}

# a/b/../c.h is a/c.h.
function plain(path) {
	while (sub(/\/\.\//, "/", path))
		;
	while (sub(/[^\/]+\/\.\.\//, "", path))
		;
	return path
}

# The word that the table has for a file: its folder, or its own name where it
# lies in none.
function word_of(file) {
	if (sub(/^include\//, "", file))
		return file
	sub(/^server\//, "", file)
	sub(/\/.*/, "", file)
	return file
}

function folder_of(file) {
	if (file ~ /^include\//)
		return "include"
	return file ~ /^server\/.*\// ? word_of(file) : ""
}

function row_of(file,    own) {
	own = file
	if (sub(/^server\//, "", own) && own in row)
		return own
	return folder_of(file) != "" ? folder_of(file) : own
}

# Our file that this #include reads, as the compiler looks for it, or "".
function found(name, quoted, from,    dir, path) {
	dir = from
	sub(/[^\/]*$/, "", dir)
	path = plain(dir name)
	if (quoted && path in known)
		return path
	path = plain("server/" name)
	if (path in known)
		return path
	path = plain("include/" name)
	return path in known ? path : ""
}

function library_of(name,    dir) {
	if (name in library)
		return library[name]
	dir = name
	sub(/\/.*/, "/*", dir)
	return dir in library ? library[dir] : ""
}

function check_own(place, from, to,    who, shown) {
	who = row_of(from)
	if (folder_of(from) != "" && folder_of(from) == folder_of(to))
		return
	if ((who, word_of(to)) in may || (who, "*") in may)
		return
	shown = to
	sub(/^(server|include)\//, "", shown)
	say(place ": " who " may not include " shown)
}

function check_system(place, from, name,    who, lib) {
	who = row_of(from)
	lib = library_of(name)
	if (lib == "")
		say(place ": " name " belongs to no library of arrows.txt")
	else if (lib != "*" && !((who, lib) in may_use))
		say(place ": " who " may not include " name)
}

function check_line(file, number, line,    place, name, to) {
	place = file ":" number
	if (!match(line, /"[^"]+"|<[^>]+>/)) {
		say(place ": cannot tell what this #include reads")
		return
	}
	name = substr(line, RSTART + 1, RLENGTH - 2)
	to = found(name, substr(line, RSTART, 1) == "\"", file)
	if (to == "") {
		check_system(place, file, name)
		return
	}
	edge[file, ++edges[file]] = to
	check_own(place, file, to)
}

function check_file(file,    line, number) {
	if (!(row_of(file) in row)) {
		say(file ": arrows.txt has no row for " row_of(file))
		return
	}
	number = 0
	while ((getline line < file) > 0) {
		number++
		if (line ~ /^[ \t]*#[ \t]*include/)
			check_line(file, number, line)
	}
	close(file)
}

function follow(file,    i) {
	if (file in reached)
		return
	reached[file] = 1
	for (i = 1; i <= edges[file]; i++)
		follow(edge[file, i])
}

# The compiler's word against ours: what it read for a source must be what the
# #include lines lead to, or a macro has hidden an arrow from us.
function check_object(object,    line, text, word, n, i, source, file) {
	text = ""
	while ((getline line < (object ".d")) > 0) {
		sub(/\\$/, "", line)
		text = text " " line
	}
	close(object ".d")
	gsub(/\\ /, "\001", text)
	n = split(text, word)
	source = ""
	split("", reached)
	for (i = 2; i <= n; i++) {
		file = word[i]
		gsub("\001", " ", file)
		if (index(file, root) == 1)
			file = substr(file, length(root) + 1)
		file = plain(file)
		if (source == "") {
			source = file
			compiled[source] = 1
			follow(source)
		}
		if (source in known && file ~ /^(server|include)\// &&
		    !(file in reached))
			say(source ": the compiler read " file \
			    ", but no #include line leads there")
	}
	if (source == "")
		say(object ".d: missing; build first, with Unix Makefiles")
}

BEGIN {
	read_table()
}

{
	known[$0] = 1
	files[NR] = $0
}

END {
	for (i = 1; i <= NR; i++)
		check_file(files[i])
	while ((getline object < objects) > 0)
		check_object(object)
	for (i = 1; i <= NR; i++)
		if (files[i] ~ /^server\/.*\.c$/ && !(files[i] in compiled))
			say(files[i] ": not compiled in this build")
	if (!failed)
		print NR " files keep to arrows.txt"
	exit failed
}

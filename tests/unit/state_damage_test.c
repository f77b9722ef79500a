/*
 * State directories that are not as they were left: what is refused, with
 * which words and without a change; what is recovered, and how.
 */
#include "unit/state.h"

#include <sys/wait.h>

#define NOBODY 65534

/* In place of libc's: nobody pulls the plug here, and it takes its time. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* Three certificates; the second is revoked. */
static char template[FILE_PATH_SIZE];
static struct state_issued issued[3];
static int64_t issued_at;

static void
make_template(void)
{
	struct state_dir *d = state_open(dir_make(template));
	struct credentials *cred = state_credentials(d);
	struct error err = { 0 };
	uint8_t subject[32];

	issued_at = time(NULL);
	for (uint32_t i = 0; i < 3; i++) {
		struct state_issued *to = &issued[i];

		assert_int_equal(state_issue(cred, CA_FIRST_REQUEST + i,
				     state_subject(i, subject), issued_at, to),
		    0);
		assert_int_equal(state_dir_add(d, blob_span(&to->der), &err),
		    0);
	}
	assert_int_equal(state_dir_revoke(d,
			     span_of(issued[1].serial, CA_SERIAL_SIZE),
			     issued_at, 4, &err),
	    0);
	credentials_free(cred);
	state_dir_close(d);
	setenv("A", issued[0].text, 1);
	setenv("B", issued[1].text, 1);
	setenv("C", issued[2].text, 1);
}

/* Every file with its name, its mode and what is in it; not the lock. */
static void
picture(const char *dir, struct buffer *out)
{
	state_shell(dir,
	    "find . ! -name .lock -printf '%p %y %m %s\\n' | sort && "
	    "find . -type f ! -name .lock | sort | xargs md5sum",
	    0, out);
}

/* DIR is the directory, $A to $C are serial numbers. */
static void
expand(const char *text, const char *dir, char out[1024])
{
	size_t at = 0;

	for (out[0] = '\0'; *text != '\0'; at = strlen(out)) {
		if (strncmp(text, "DIR", 3) == 0) {
			snprintf(out + at, 1024 - at, "%s", dir);
			text += 3;
		} else if (text[0] == '$' && text[1] >= 'A' && text[1] <= 'C') {
			snprintf(out + at, 1024 - at, "%s",
			    issued[text[1] - 'A'].text);
			text += 2;
		} else {
			snprintf(out + at, 1024 - at, "%c", *text++);
		}
	}
}

#define MAKE_CERT                                                   \
	"openssl req -x509 -new -key private/ra-signing.key -subj " \
	"\"/O=mockndes TEST ONLY/CN=mockndes TEST ONLY CA\" "       \
	"-set_serial 0x$A -out newcerts/$A.pem"

static const struct damage {
	const char *row, *how, *error;
} damages[] = {
	{ "a word in index.txt", "sed -i '3s/.*/hello/' index.txt",
	    "DIR/index.txt:3: \"hello\" is no status: V, R or E" },
	{ "a date in index.txt", "sed -i '2s/\t[0-9]*Z/\tsoon/' index.txt",
	    "DIR/index.txt:2: \"soon\" is no date" },
	{ "a field too few", "sed -i '2s/\tunknown//' index.txt",
	    "DIR/index.txt:2: has less than six fields" },
	{ "an empty line", "sed -i '2s/^/\\n/' index.txt",
	    "DIR/index.txt:2: \"\" is no status: V, R or E" },
	{ "ends of lines of Windows", "sed -i 's/$/\\r/' index.txt",
	    "DIR/index.txt:2: has an octet that is not printable: 0x0d" },
	{ "zeros in the middle", "printf '\\0\\0\\n' >> index.txt",
	    "DIR/index.txt:5: has an octet that is not printable: 0x00" },
	{ "half a line in the middle",
	    "sed -i '3s/\\(.\\{40\\}\\).*/\\1/' index.txt",
	    "DIR/index.txt:3: has less than six fields" },
	{ "two lines in one", "sed -i '3{N;s/\\n//}' index.txt",
	    "DIR/index.txt:3: has more than six fields" },
	{ "a line that is too long",
	    "{ sed -n 2p index.txt | tr -d '\\n'; head -c 40000 /dev/zero | "
	    "tr '\\0' a; echo; } >> index.txt",
	    "DIR/index.txt:5: longer than 32768 octets" },
	{ "a line twice", "sed -n 2p index.txt >> index.txt",
	    "DIR/index.txt:5: has the serial number of line 2 again" },
	{ "a serial number twice, in other letters",
	    "sed -n 4p index.txt | sed s/$C/00$(echo $C | tr A-Z a-z)/ "
	    ">> index.txt",
	    "DIR/index.txt:5: has the serial number of line 4 again" },
	{ "a revocation in a valid line",
	    "sed -i '2s/Z\t/Z\t231114221320Z/' index.txt",
	    "DIR/index.txt:2: has a revocation date, but is not revoked" },
	{ "another reason", "sed -i s/superseded/boredom/ index.txt",
	    "DIR/index.txt:3: \"boredom\" is no reason for a revocation" },
	{ "another expiry", "sed -i '2s/\t[0-9]*Z/\t300101000000Z/' index.txt",
	    "DIR/index.txt:2: has another date of expiry than "
	    "newcerts/$A.pem" },
	{ "another serial number", "sed -i 2s/$A/4711/ index.txt",
	    "DIR/index.txt:2: there is no newcerts/4711.pem" },
	{ "a torn line that begins with no status", "printf x >> index.txt",
	    "DIR/index.txt:5: \"x\" is no part of a line" },
	{ "a torn line that nobody writes", "printf 'V\ttomorrow' >> index.txt",
	    "DIR/index.txt:5: \"tomorrow\" is no part of a line" },
	{ "a torn line of a certificate that is in another",
	    "sed -n 2p index.txt | tr -d '\\n' >> index.txt",
	    "DIR/index.txt:5: has the serial number of line 2 again" },
	{ "no index.txt", "rm index.txt",
	    "DIR/index.txt: No such file or directory" },
	{ "index.txt is a directory", "rm index.txt && mkdir index.txt",
	    "DIR/index.txt: not a regular file" },
	{ "index.txt is a FIFO", "rm index.txt && mkfifo index.txt",
	    "DIR/index.txt: not a regular file" },
	{ "index.txt is too large", "truncate -s 104857601 index.txt",
	    "DIR/index.txt: larger than 104857600 octets" },
	{ "a certificate is missing", "rm newcerts/$B.pem",
	    "DIR/index.txt:3: there is no newcerts/$B.pem" },
	{ "a certificate is empty", ": > newcerts/$B.pem",
	    "DIR/newcerts/$B.pem: no certificate in PEM" },
	{ "a certificate is cut", "truncate -s 700 newcerts/$B.pem",
	    "DIR/newcerts/$B.pem: no certificate in PEM" },
	{ "a certificate is a directory",
	    "rm newcerts/$B.pem && mkdir newcerts/$B.pem",
	    "DIR/newcerts/$B.pem: not a regular file" },
	{ "a certificate is too large", "truncate -s 1048577 newcerts/$B.pem",
	    "DIR/newcerts/$B.pem: larger than 1048576 octets" },
	{ "a certificate under another name",
	    "cp newcerts/$A.pem newcerts/$B.pem",
	    "DIR/newcerts/$B.pem: bears another serial number than its "
	    "name" },
	{ "a certificate of another CA",
	    "openssl req -x509 -new -key private/ra-signing.key -subj /CN=x "
	    "-set_serial 0x$A -out newcerts/$A.pem",
	    "DIR/newcerts/$A.pem: was not issued by the CA in ca.pem" },
	{ "a certificate of another CA of this name", MAKE_CERT,
	    "DIR/newcerts/$A.pem: was not issued by the CA in ca.pem" },
	{ "a certificate of another CA, without a line",
	    MAKE_CERT " && sed -i 2d index.txt",
	    "DIR/newcerts/$A.pem: was not issued by the CA in ca.pem" },
	{ "a torn line, of a certificate of another CA",
	    MAKE_CERT " && sed -n 2p index.txt | tr -d '\\n' >l && "
		      "sed -i 2d index.txt && cat l >>index.txt && rm l",
	    "DIR/newcerts/$A.pem: was not issued by the CA in ca.pem" },
	{ "what is set aside stands in its way",
	    "sed -i 2d index.txt && : >newcerts/$A.pem && "
	    ": >newcerts/$A.pem.bad",
	    "DIR/newcerts/$A.pem: File exists" },
	{ "no newcerts", "rm -r newcerts",
	    "DIR/newcerts: No such file or directory" },
	{ "newcerts is a file", "rm -r newcerts && : > newcerts",
	    "DIR/newcerts: Not a directory" },
	{ "no private", "rm -r private",
	    "DIR/private: No such file or directory" },
	{ "no key of the CA", "rm private/ca.key",
	    "DIR/private/ca.key: No such file or directory" },
	{ "no certificate of the CA", "rm ca.pem",
	    "DIR/ca.pem: No such file or directory" },
	{ "no certificates at all", "rm *.pem",
	    "DIR/ca.pem: No such file or directory" },
	{ "no certificate of an RA", "rm ra-encryption.pem",
	    "DIR/ra-encryption.pem: No such file or directory" },
	{ "the certificate of the CA is a text", "echo x > ca.pem",
	    "DIR/ca.pem: no certificate in PEM" },
	{ "the key of the CA is a text", "echo x > private/ca.key",
	    "DIR/private/ca.key: no unencrypted private key in PEM" },
	{ "the key of the CA is another",
	    "cp private/ra-signing.key private/ca.key",
	    "DIR/ca.pem: does not belong to the key beside it" },
	{ "the certificate of the CA is another",
	    "openssl req -x509 -new -key private/ca.key -subj /CN=x "
	    "-out ca.pem",
	    "DIR/ra-signing.pem: was not issued by the CA in ca.pem" },
	{ "the certificate of an RA has expired",
	    "openssl req -new -key private/ra-signing.key -subj /CN=x "
	    "-out q && openssl ca -batch -config openssl.cnf -in q "
	    "-startdate 20200101000000Z -enddate 20200102000000Z "
	    "-out ra-signing.pem",
	    "DIR/ra-signing.pem: has expired; begin with an empty directory" },
	{ "no crlnumber", "rm crlnumber",
	    "DIR/crlnumber: No such file or directory" },
	{ "crlnumber is empty", ": > crlnumber",
	    "DIR/crlnumber:1: no number of two to eight hexadecimal digits" },
	{ "crlnumber is a word", "echo five > crlnumber",
	    "DIR/crlnumber:1: no number of two to eight hexadecimal digits" },
	{ "crlnumber is too large", "echo 0100000000 > crlnumber",
	    "DIR/crlnumber:1: no number of two to eight hexadecimal digits" },
	{ "crlnumber has more lines", "printf '01\\n02\\n' > crlnumber",
	    "DIR/crlnumber:1: no number of two to eight hexadecimal digits" },
	{ "serial is empty", ": > serial",
	    "DIR/serial:1: no serial number in hexadecimal digits" },
	{ "serial is a word", "echo next > serial",
	    "DIR/serial:1: no serial number in hexadecimal digits" },
	{ "a first start was cut short, and something is in the way",
	    "mkdir .mockndes-made && mv ca.pem .mockndes-made && "
	    ": >ca.pem",
	    "DIR/ca.pem: File exists" },
};

static void
refuses(void **state)
{
	const struct damage *t = *state;
	char dir[FILE_PATH_SIZE], wanted[1024];
	struct buffer before, after, said;
	struct error err = { 0 };
	struct state_dir *d;

	state_copy(template, dir);
	state_shell(dir, t->how, 0, &said);
	picture(dir, &before);
	assert_int_equal(state_try(&d, dir, &err), -1);
	assert_null(d);
	expand(t->error, dir, wanted);
	assert_string_equal(err.text, wanted);
	picture(dir, &after);
	assert_string_equal((char *)after.data, (char *)before.data);
	buffer_free(&before);
	buffer_free(&after);
	buffer_free(&said);
	dir_remove(dir);
}

static const struct recovery {
	const char *row, *how, *notes;
	const char *told; /* of the certificates, then; NULL: as before */
} recoveries[] = {
	{ "a certificate without a line", "sed -i 2d index.txt",
	    "newcerts/$A.pem: was not in index.txt, its line is added|",
	    "RVV" },
	{ "two of them", "sed -i 2d index.txt && sed -i 3d index.txt", NULL,
	    "RVV" },
	{ "a line without its end", "truncate -s -1 index.txt",
	    "index.txt:4: torn last line, completed from newcerts/$C.pem|",
	    NULL },
	{ "a line without its end, in other letters",
	    "truncate -s -1 index.txt && sed -i 4s/$C/$(echo $C | "
	    "tr A-Z a-z)/ index.txt",
	    "index.txt:4: torn last line, completed from newcerts/$C.pem|",
	    NULL },
	{ "a line with zeros at the end",
	    "truncate -s -20 index.txt && truncate -s +4000 index.txt",
	    "index.txt:4: torn last line, completed from newcerts/$C.pem|",
	    NULL },
	{ "zeros in place of a line",
	    "sed -i 4d index.txt && truncate -s +100 index.txt",
	    "index.txt:4: torn last line, cut off|"
	    "newcerts/$C.pem: was not in index.txt, its line is added|",
	    NULL },
	{ "a torn line without its certificate",
	    "truncate -s -1 index.txt && rm newcerts/$C.pem",
	    "index.txt:4: torn last line, cut off|", "VR" },
	{ "a torn line, and half a certificate",
	    "truncate -s -1 index.txt && truncate -s 99 newcerts/$C.pem",
	    "index.txt:4: torn last line, cut off|"
	    "newcerts/$C.pem: not in index.txt, nor such a certificate; "
	    "renamed to .bad|",
	    "VR" },
	{ "a torn comment", "printf '# by hand' >> index.txt",
	    "index.txt:5: torn last line, cut off|", NULL },
	{ "half a certificate without a line",
	    "sed -i 4d index.txt && : >newcerts/$C.pem",
	    "newcerts/$C.pem: not in index.txt, nor such a certificate; "
	    "renamed to .bad|",
	    "VR" },
	{ "temporary files",
	    ": >newcerts/.4711.new && : >.index.txt.new && : >.crl.pem.new",
	    "newcerts/.4711.new: left half-written, removed|"
	    ".index.txt.new: left half-written, removed|"
	    ".crl.pem.new: left half-written, removed|",
	    NULL },
	{ "files of others",
	    "cp ca.pem newcerts/ca.pem && : >newcerts/.x.new && : >README && "
	    ": >newcerts/11 && : >newcerts/4a.pem && : >newcerts/004A.pem",
	    "", NULL },
	{ "no files that can be made anew",
	    "rm openssl.cnf index.txt.attr serial",
	    "serial: was missing, written anew|"
	    "index.txt.attr: was missing, written anew|"
	    "openssl.cnf: was missing, written anew|",
	    NULL },
	{ "what openssl ca leaves",
	    "cp index.txt index.txt.old && cp serial serial.old && "
	    "cp index.txt.attr index.txt.attr.old && "
	    "echo 'unique_subject = no' > index.txt.attr",
	    "", NULL },
	{ "no comment in index.txt", "sed -i 1d index.txt", "", NULL },
	{ "the numbers without an end of line",
	    "truncate -s -1 serial && truncate -s -1 crlnumber", "", NULL },
	{ "the end of a first start that was cut short",
	    "mkdir .mockndes-made && mv ca.pem private openssl.cnf newcerts "
	    ".mockndes-made",
	    ": its first start was cut short; completed|", NULL },
	{ "the very end of it", "mkdir .mockndes-made",
	    ": its first start was cut short; completed|", NULL },
};

/* The status of each. */
static int
tell(void *cls, const struct state_entry *e)
{
	size_t len = strlen(cls);

	((char *)cls)[len] = e->revoked_at == 0 ? 'V' : 'R';
	assert_int_equal(e->reason, e->revoked_at == 0 ? 0 : 4);
	return len < 15 ? 0 : -1;
}

static void
assert_told(const char *dir, const char *notes, const char *told)
{
	struct state_dir *d = state_open(dir);
	struct error err = { 0 };
	char all[16] = "", wanted[1024];

	if (notes != NULL) {
		expand(notes, dir, wanted);
		assert_string_equal(state_notes, wanted);
	}
	assert_int_equal(state_dir_each(d, tell, all, &err), 0);
	assert_string_equal(all, told == NULL ? "VRV" : told);
	state_dir_close(d);
}

static void
recovers(void **state)
{
	const struct recovery *t = *state;
	char dir[FILE_PATH_SIZE];
	struct buffer said;

	state_copy(template, dir);
	state_shell(dir, t->how, 0, &said);
	buffer_free(&said);
	assert_told(dir, t->notes, t->told);
	/* Once. */
	assert_told(dir, "", t->told);
	state_shell(dir, "openssl ca -config openssl.cnf -gencrl -out crl.pem",
	    0, &said);
	buffer_free(&said);
	dir_remove(dir);
}

/* The last line of index.txt, to be torn; its certificate may be there. */
static const struct torn {
	const char *row;
	bool revoked, file;
} torns[] = {
	{ "a good one", false, true },
	{ "a good one without its certificate", false, false },
	{ "a revoked one", true, true },
	{ "a revoked one without its certificate", true, false },
};

static void
prepare_torn(const struct torn *t, const char *dir, struct buffer *text)
{
	char path[FILE_PATH_SIZE], name[FILE_PATH_SIZE];
	struct buffer said;

	/* Of lines 2, 3 and 4 the one in question comes last. */
	if (t->revoked)
		state_shell(dir,
		    "sed -n 3p index.txt >l && sed -i 3d index.txt && "
		    "cat l >>index.txt && rm l",
		    0, &said);
	else
		state_shell(dir, ":", 0, &said);
	buffer_free(&said);
	if (!t->file) {
		snprintf(name, sizeof(name), "newcerts/%s.pem",
		    issued[t->revoked ? 1 : 2].text);
		assert_int_equal(unlink(path_in(path, dir, name)), 0);
	}
	assert_true(file_read(path_in(path, dir, "index.txt"), text));
}

/* Where the fourth field ends, its certificate is known. */
static size_t
serial_end(const char *line)
{
	const char *at = line;

	for (int i = 0; i < 4; i++)
		at = strchr(at, '\t') + 1;
	return (size_t)(at - line);
}

static void
check_torn(const struct torn *t, const char *dir, const char *line, size_t len,
    const struct buffer *whole)
{
	const char *serial = issued[t->revoked ? 1 : 2].text;
	bool known = len >= serial_end(line);
	char wanted[1024] = "", path[FILE_PATH_SIZE];
	struct error err = { 0 };
	struct buffer after;
	struct state_dir *d;
	size_t at = 0;

	if (t->revoked && len > 0 && !(t->file && known)) {
		assert_int_equal(state_try(&d, dir, &err), -1);
		snprintf(wanted, sizeof(wanted),
		    "%s/index.txt:4: torn where a certificate was revoked; "
		    "complete or remove this line",
		    dir);
		assert_string_equal(err.text, wanted);
		return;
	}
	if (len > 0 && t->file && known)
		at = (size_t)snprintf(wanted, sizeof(wanted),
		    "index.txt:4: torn last line, completed from "
		    "newcerts/%s.pem|",
		    serial);
	else if (len > 0)
		at = (size_t)snprintf(wanted, sizeof(wanted),
		    "index.txt:4: torn last line, cut off|");
	if (t->file && !known)
		snprintf(wanted + at, sizeof(wanted) - at,
		    "newcerts/%s.pem: was not in index.txt, its line is "
		    "added|",
		    serial);
	state_dir_close(state_open(dir));
	assert_string_equal(state_notes, wanted);
	assert_true(file_read(path_in(path, dir, "index.txt"), &after));
	/* Complete: as it was; cut: the lines before it. */
	if (t->revoked && len == 0 && t->file)
		assert_int_equal(
		    after.data[(
			size_t)((uint8_t *)(uintptr_t)line - whole->data)],
		    'V');
	else if (t->file)
		assert_string_equal((char *)after.data, (char *)whole->data);
	else
		assert_int_equal(after.len,
		    (uint8_t *)(uintptr_t)line - whole->data);
	buffer_free(&after);
}

/* At every length of the last line. */
static void
tears(void **state)
{
	const struct torn *t = *state;
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
	struct buffer whole;
	const char *line;
	size_t last;

	state_copy(template, dir);
	prepare_torn(t, dir, &whole);
	path_in(path, dir, "index.txt");
	line = (char *)whole.data + whole.len - 1;
	while (line[-1] != '\n')
		line--;
	last = strlen(line) - 1;
	for (size_t len = 0; len <= last; len++) {
		file_write(path, whole.data,
		    (size_t)(line - (char *)whole.data) + len);
		check_torn(t, dir, line, len, &whole);
	}
	buffer_free(&whole);
	dir_remove(dir);
}

static const struct place {
	const char *row, *how, *path, *error; /* in an empty directory */
	bool nobody;			      /* not as root */
} places[] = {
	{ "a file", ": >x", "/x", "DIR/x: Not a directory", false },
	{ "in no directory", ":", "/x/y", "DIR/x/y: No such file or directory",
	    false },
	{ "in a file", ": >x", "/x/y", "DIR/x/y: Not a directory", false },
	{ "somebody's things", "mkdir x && : >x/letter", "/x",
	    "DIR/x: is neither empty nor a state directory", false },
	{ "a key set", "mkdir x && : >x/ca.key && : >x/ca.pem", "/x",
	    "DIR/x/newcerts: No such file or directory", false },
	{ "of another", "mkdir x", "/x",
	    "DIR/x: belongs to user 0, user 65534 cannot write to it: "
	    "Permission denied",
	    true },
	{ "nobody may write there", "mkdir x && chown 65534 x && chmod 500 x",
	    "/x", "DIR/x: cannot be written to: Permission denied", true },
	{ "nobody may read there", "mkdir x && chown 65534 x && chmod 300 x",
	    "/x", "DIR/x: Permission denied", true },
	{ "nobody may make it", ":", "/x", "DIR/x: Permission denied", true },
	{ "a lock of another",
	    "mkdir x && chmod 777 x && : >x/.lock && chmod 600 x/.lock", "/x",
	    "DIR/x/.lock: Permission denied", true },
	{ "keys of another",
	    "mkdir x && cp -a \"$TEMPLATE\"/. x && "
	    "chown 65534 x x/* x/.lock && chmod 755 x/private",
	    "/x", NULL, true },
	{ "a directory of keys of another",
	    "mkdir x && cp -a \"$TEMPLATE\"/. x && "
	    "chown -R 65534 x && chown 0 x/private && chmod 755 x/private",
	    "/x", "DIR/x/private: belongs to user 0, not to user 65534", true },
	{ "empty, but for what a file system puts there",
	    "mkdir x x/lost+found", "/x", NULL, false },
	{ "a first start that was cut short at once",
	    "mkdir -p x/.mockndes-making/private && : "
	    ">x/.mockndes-making/ca.pem && "
	    ": >x/.mockndes-making/private/ca.key",
	    "/x", NULL, false },
};

/* As another user: a process of its own, which says what it got. */
static void
try_as_nobody(const char *path, struct error *err)
{
	struct state_dir *d = NULL;
	int said[2], status;
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 &&
		    state_try(&d, path, err) == 0)
			state_dir_close(d);
		len = write(said[1], err->text, strlen(err->text));
		_exit(len == -1);
	}
	close(said[1]);
	len = read(said[0], err->text, sizeof(err->text) - 1);
	assert_int_not_equal(len, -1);
	err->text[len] = '\0';
	close(said[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
opens(void **state)
{
	const struct place *t = *state;
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], wanted[1024] = "";
	struct error err = { 0 };
	struct state_dir *d = NULL;
	struct buffer said;

	if (t->nobody && geteuid() != 0)
		skip();
	setenv("TEMPLATE", template, 1);
	state_shell(dir_make(dir), t->how, 0, &said);
	buffer_free(&said);
	chmod(dir, 0755);
	snprintf(path, sizeof(path), "%.200s%s", dir, t->path);
	if (t->nobody)
		try_as_nobody(path, &err);
	else if (state_try(&d, path, &err) == 0)
		state_dir_close(d);
	if (t->error != NULL)
		expand(t->error, dir, wanted);
	else if (t->nobody)
		snprintf(wanted, sizeof(wanted),
		    "%.200s/private/ca.key: Permission denied", path);
	assert_string_equal(err.text, wanted);
	dir_remove(dir);
}

static int
set_up(void **state)
{
	(void)state;
	state_set_up();
	make_template();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		blob_free(&issued[i].der);
	dir_remove(template);
	state_tear_down();
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(refuses, damages),
		ROWS(recovers, recoveries),
		ROWS(tears, torns),
		ROWS(opens, places),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}

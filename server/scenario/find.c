/* Names and paths of scenarios, and what lies behind them. */
#include "scenario/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "scenario/shipped.h"

#define NAME_MAX_LENGTH 64
#define SHIPPED "shipped:"

/* A document that was found. */
struct found {
	struct blob yaml;	 /* owned */
	char path[PATH_MAX];	 /* for messages */
	char dir[PATH_MAX];	 /* of a file; "": it is on no disk */
	char name[NAME_MAX + 1]; /* what it has to be called; "": anything */
	char id[PATH_MAX + 16];	 /* see struct loading */
};

bool
scenario_is_name(const char *text)
{
	size_t len = strspn(text,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-");

	return text[len] == '\0' && len > 0 && len <= NAME_MAX_LENGTH &&
	    text[0] != '.';
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

static bool
is_path(const char *text)
{
	return strchr(text, '/') != NULL || ends_with(text, ".yaml") ||
	    ends_with(text, ".yml");
}

static int
read_all(int fd, size_t max, struct blob *out)
{
	struct buffer b = { 0 };
	uint8_t part[16384];
	ssize_t n;

	do {
		n = read(fd, part, sizeof(part));
		if (n > 0)
			buffer_add(&b, part, (size_t)n);
	} while ((n > 0 || (n == -1 && errno == EINTR)) && b.len <= max);
	if (n != -1 && buffer_finish(&b, out) == 0)
		return 0;
	if (n != -1)
		errno = ENOMEM;
	buffer_free(&b);
	return -1;
}

static int
check_size(const char *path, size_t size, size_t max, struct error *err)
{
	if (size <= max)
		return 0;
	return error_set(err, "%.120s: more than the %zu octets it may have",
	    path, max);
}

/* A FIFO would be waited for, a device might never end. */
int
read_file(const char *path, size_t max, struct blob *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int ret = -1;

	*out = (struct blob){ 0 };
	if (fd == -1 || fstat(fd, &st) == -1)
		error_set(err, "%.120s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		error_set(err, "%.120s: not a file, but a %s", path,
		    S_ISDIR(st.st_mode)	     ? "directory" :
			S_ISFIFO(st.st_mode) ? "pipe" :
					       "device");
	else if (check_size(path, (size_t)st.st_size, max, err) == 0 &&
	    (ret = read_all(fd, max, out)) == -1)
		error_set(err, "%.120s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	if (ret == 0 && (ret = check_size(path, out->len, max, err)) == -1)
		blob_free(out);
	return ret;
}

char *
path_beside(const struct loading *l, const char *path)
{
	char *out;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (*path == '/' || strcmp(l->dir, ".") == 0)
		return strdup(path);
	return asprintf(&out, "%s/%s", l->dir, path) == -1 ? NULL : out;
}

/* The last part of the path, without .yaml. */
static void
name_of_path(const char *path, char out[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	size_t len = strlen(base);

	if (ends_with(base, ".yaml"))
		len -= strlen(".yaml");
	else if (ends_with(base, ".yml"))
		len -= strlen(".yml");
	snprintf(out, NAME_MAX + 1, "%.*s", (int)len, base);
}

static int
find_path(const char *path, struct found *out, struct error *err)
{
	char copy[PATH_MAX], *real;

	if (strlen(path) >= sizeof(out->path))
		return error_set(err, "%.120s: %s", path,
		    strerror(ENAMETOOLONG));
	if (read_file(path, YAML_SIZE_MAX, &out->yaml, err) == -1)
		return -1;
	snprintf(out->path, sizeof(out->path), "%s", path);
	memcpy(copy, out->path, sizeof(copy));
	snprintf(out->dir, sizeof(out->dir), "%s", dirname(copy));
	name_of_path(path, out->name);
	if ((real = realpath(path, NULL)) != NULL)
		snprintf(out->id, sizeof(out->id), "%s", real);
	free(real);
	return 0;
}

/* 1: there is no such file. */
static int
find_in(const char *dir, const char *name, struct found *out, struct error *err)
{
	char path[PATH_MAX];
	struct stat st;
	int len;

	if (dir == NULL)
		return 1;
	len = strcmp(dir, ".") == 0 ?
	    snprintf(path, sizeof(path), "%s.yaml", name) :
	    snprintf(path, sizeof(path), "%s/%s.yaml", dir, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return error_set(err, "%.120s: %s", dir,
		    strerror(ENAMETOOLONG));
	/* A link to nowhere is there, and what is wrong with it is said. */
	if (lstat(path, &st) == -1 && errno == ENOENT)
		return 1;
	return find_path(path, out, err);
}

static int
find_shipped(const char *name, struct found *out, struct error *err)
{
	for (size_t i = 0; i < shipped_scenario_count; i++) {
		const struct shipped_scenario *s = &shipped_scenarios[i];

		if (strcmp(s->name, name) != 0)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", name);
		snprintf(out->id, sizeof(out->id), SHIPPED "%s", name);
		snprintf(out->path, sizeof(out->path), "%s.yaml", name);
		if (blob_copy(&out->yaml, span_of(s->text, s->size)) == 0)
			return 0;
		return error_set(err, "out of memory");
	}
	return 1;
}

/* Calls `found` with each name that a scenario has there; -1: errno. */
static int
read_names(const char *path, void (*found)(void *cls, const char *name),
    void *cls)
{
	DIR *dir = path == NULL ? NULL : opendir(path);
	char name[NAME_MAX + 1];
	struct dirent *entry;

	if (dir == NULL)
		return path == NULL ? 0 : -1;
	while ((entry = readdir(dir)) != NULL) {
		name_of_path(entry->d_name, name);
		if (ends_with(entry->d_name, ".yaml") && scenario_is_name(name))
			found(cls, name);
	}
	closedir(dir);
	return 0;
}

static void
consider(void *cls, const char *name)
{
	nearest_consider(cls, name);
}

/* `beside`: a directory that is looked at first, or NULL. */
static int
find_name(const char *name, const char *beside, const char *dir,
    struct found *out, struct error *err)
{
	struct nearest n = { .asked = name };
	int ret;

	if (scenario_is_name(name)) {
		ret = find_in(beside, name, out, err);
		if (ret == 1)
			ret = find_in(dir, name, out, err);
		if (ret == 1)
			ret = find_shipped(name, out, err);
		if (ret != 1)
			return ret;
	}
	read_names(beside, consider, &n);
	read_names(dir, consider, &n);
	for (size_t i = 0; i < shipped_scenario_count; i++)
		nearest_consider(&n, shipped_scenarios[i].name);
	return error_set(err,
	    "unknown scenario \"%.60s\", did you mean \"%s\"?", name, n.best);
}

/* Its state and rules; what it says beside that goes. */
static void
inherit(struct scenario *to, struct scenario *from)
{
	to->state = from->state;
	to->faults = from->faults;
	from->faults = (struct faults){ 0 };
}

static void
load_parent(struct loading *l, const struct yaml *node,
    const struct found *found)
{
	struct scenario *s = calloc(1, sizeof(*s));
	struct loading parent = { .options = l->options,
		.errors = l->errors,
		.out = s,
		.root = l->root,
		.dir = found->dir[0] == '\0' ? NULL : found->dir,
		.name = found->name,
		.id = found->id[0] == '\0' ? NULL : found->id,
		.child = l };

	if (s == NULL ||
	    (parent.file = keep_file(l->root, found->path)) == NULL) {
		errors_at(l->errors, &node->at, "out of memory");
		free(s);
		return;
	}
	s->refs = 1;
	stack_healthy(&s->state);
	load_text(&parent, blob_span(&found->yaml));
	inherit(l->out, s);
	scenario_free(s);
}

/* Whether it is one of those that led here. */
static bool
is_cycle(const struct loading *l, const struct found *found)
{
	for (; l != NULL; l = l->child)
		if (l->id != NULL && strcmp(l->id, found->id) == 0)
			return true;
	return false;
}

static int
depth_of(const struct loading *l)
{
	int depth = 0;

	for (; l != NULL; l = l->child)
		depth++;
	return depth;
}

static int
find_extended(const struct loading *l, const char *what, struct found *out,
    struct error *err)
{
	char *path;
	int ret;

	if (!is_path(what))
		return find_name(what, l->dir, l->options->dir, out, err);
	if (l->dir == NULL)
		return error_set(err,
		    "a scenario that is not a file cannot name one");
	if ((path = path_beside(l, what)) == NULL)
		return error_set(err, "out of memory");
	ret = find_path(path, out, err);
	free(path);
	return ret;
}

void
find_parent(struct loading *l, const struct yaml *node)
{
	struct found found = { .yaml = { NULL, 0 } };
	struct error err = { 0 };

	if (find_extended(l, node->text, &found, &err) == -1)
		errors_at(l->errors, &node->at, "%.200s", err.text);
	else if (is_cycle(l, &found))
		errors_at(l->errors, &node->at, "\"%.60s\" extends itself",
		    node->text);
	else if (depth_of(l) > EXTENDS_MAX)
		errors_at(l->errors, &node->at,
		    "\"extends\" goes on for more than %d scenarios",
		    EXTENDS_MAX);
	else
		load_parent(l, node, &found);
	blob_free(&found.yaml);
}

static int
load_found(const struct found *found, const struct scenario_options *options,
    struct scenario **out, struct errors *errors)
{
	const struct scenario_text text = {
		.yaml = blob_span(&found->yaml),
		.file = found->path,
		.dir = found->dir[0] == '\0' ? NULL : found->dir,
	};

	return load_scenario(&text, found->name[0] == '\0' ? NULL : found->name,
	    found->id[0] == '\0' ? NULL : found->id, options, out, errors);
}

static int
find_stdin(struct found *out, struct error *err)
{
	snprintf(out->path, sizeof(out->path), "stdin");
	if (read_all(STDIN_FILENO, YAML_SIZE_MAX, &out->yaml) == 0)
		return 0;
	return error_set(err, "standard input: %s", strerror(errno));
}

int
scenario_find(const char *name, const struct scenario_options *options,
    struct scenario **out, struct errors *errors)
{
	struct found found = { .yaml = { NULL, 0 } };
	struct error err = { 0 };
	int ret;

	*out = NULL;
	if (find_name(name, NULL, options == NULL ? NULL : options->dir, &found,
		&err) == -1)
		return errors_at(errors, NULL, "%.200s", err.text);
	ret = load_found(&found, options, out, errors);
	blob_free(&found.yaml);
	return ret;
}

int
scenario_load(const char *what, const struct scenario_options *options,
    struct scenario **out, struct errors *errors)
{
	struct found found = { .yaml = { NULL, 0 } };
	struct error err = { 0 };
	bool standard = strcmp(what, "-") == 0;
	int ret;

	if (!standard && !is_path(what))
		return scenario_find(what, options, out, errors);
	*out = NULL;
	if ((standard ? find_stdin(&found, &err) :
			find_path(what, &found, &err)) == -1)
		return errors_at(errors, NULL, "%.200s", err.text);
	ret = load_found(&found, options, out, errors);
	blob_free(&found.yaml);
	return ret;
}

int
scenario_source(const char *name, const struct scenario_options *options,
    struct blob *yaml, struct errors *errors)
{
	struct found found = { .yaml = { NULL, 0 } };
	struct error err = { 0 };
	int ret = find_name(name, NULL, options == NULL ? NULL : options->dir,
	    &found, &err);

	*yaml = found.yaml;
	return ret == 0 ? 0 : errors_at(errors, NULL, "%.200s", err.text);
}

struct names {
	char **list; /* NULL ended */
	size_t count;
	bool failed;
};

/* At its place; one that is there already stays alone. */
static void
add_name(void *cls, const char *name)
{
	struct names *n = cls;
	char **list = reallocarray(n->list, n->count + 2, sizeof(*list));
	size_t at = n->count;

	if (list != NULL)
		n->list = list;
	while (at > 0 && strcmp(n->list[at - 1], name) > 0)
		at--;
	if (at > 0 && strcmp(n->list[at - 1], name) == 0)
		return;
	if (list == NULL || (name = strdup(name)) == NULL) {
		n->failed = true;
		return;
	}
	memmove(list + at + 1, list + at, (n->count - at) * sizeof(*list));
	list[at] = (char *)name;
	list[++n->count] = NULL;
}

char **
find_names(const struct scenario_options *options, struct errors *errors)
{
	struct names n = { 0 };

	for (size_t i = 0; i < shipped_scenario_count; i++)
		add_name(&n, shipped_scenarios[i].name);
	if (read_names(options->dir, add_name, &n) == -1)
		errors_at(errors, NULL, "%.120s: %s", options->dir,
		    strerror(errno));
	else if (!n.failed && n.list != NULL)
		return n.list;
	for (size_t i = 0; i < n.count; i++)
		free(n.list[i]);
	free(n.list);
	return NULL;
}

#include "probe/binding.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/machine/sysfs.h"
#include "probe/pci_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char devices[] = "/sys/bus/pci/devices";
static const char drivers[] = "/sys/bus/pci/drivers";

/* ---- the real machine ---- */

static int real_write(void *ctx, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t put;
	int why;

	(void)ctx;
	if (fd < 0)
		return errno;
	put = write(fd, text, len);
	why = put < 0 ? errno : (size_t)put == len ? 0 : EIO;
	close(fd);
	return why;
}

static int real_load(void *ctx, const char *module)
{
	const char *argv[] = {"modprobe", module, NULL};
	struct proc_outcome o;

	(void)ctx;
	if (proc_run_ok(&(struct proc_spec){.argv = argv,
					    .timeout_ns = 60 * NS_PER_S,
					    .output_max = 4096},
			&o, NULL))
		return ENOENT;
	proc_outcome_release(&o);
	return 0;
}

struct binding_host binding_real_host(void)
{
	return (struct binding_host){.root = "", .write = real_write, .load = real_load};
}

/* ---- what may not be touched ---- */

struct work {
	const struct binding_host *host;
	const struct binding_request *want;
	struct binding *b;
	struct err *err;
};

static char *join(const struct strvec *v)
{
	struct buf b;
	char *text;

	buf_init(&b, 600);
	for (size_t i = 0; i < v->nr; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", v->items[i]);
	text = buf_detach(&b);
	buf_release(&b);
	return text;
}

/* Refuses with the list of who is in the way; 0 when it is empty. */
static int refuse_if_any(struct work *w, const char *address, struct strvec *who,
			 const char *what, const char *remedy)
{
	char *names;
	int rc = 0;

	if (who->nr) {
		names = join(who);
		rc = err_set(w->err, ERR_ENVIRONMENT, "%s: %s: %s; %s", address, what,
			     names, remedy);
		free(names);
	}
	strvec_release(who);
	return rc;
}

/* The driver that a request means for this device, NULL for none; free() */
static char *driver_for(const struct work *w, const char *address)
{
	int64_t vendor = 0, device = 0, code = 0;

	if (strcmp(w->want->driver, BINDING_NONE) == 0)
		return NULL;
	if (strcmp(w->want->driver, "vfio") != 0)
		return x_strdup(w->want->driver);
	(void)pci_device_ids(w->host->root, address, &vendor, &device, &code);
	return x_strdup(pci_device_is_grace_gpu(vendor, device) ? "nvgrace_gpu_vfio_pci"
								: "vfio-pci");
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The kernel's own word on which driver has it, NULL for none. */
static bool has_driver(const struct binding_host *host, const char *address,
		       const char *driver)
{
	char *has = pci_device_driver(host->root, address);
	bool ret = is_same(has, driver);

	free(has);
	return ret;
}

static int check_kind(struct work *w, const char *address)
{
	int64_t vendor, device, code;

	if (!pci_device_is_address(address))
		return err_set(w->err, ERR_USAGE,
			       "'%s' is not a PCI address; it looks like 0008:01:00.0",
			       address);
	if (!pci_device_exists(w->host->root, address) ||
	    !pci_device_ids(w->host->root, address, &vendor, &device, &code))
		return err_set(w->err, ERR_ENVIRONMENT,
			       "%s: there is no such PCI device; lspci -D lists them",
			       address);
	if (!w->want->any_device && !pci_device_is_accelerator(code))
		return err_set(w->err, ERR_ENVIRONMENT,
			       "%s: class 0x%06llx is neither a GPU nor an accelerator; "
			       "--any-device if it is meant",
			       address, (long long)code);
	return 0;
}

static int check_use(struct work *w, const char *address)
{
	const char *root = w->host->root;
	struct strvec users = {0}, openers = {0}, children = {0};

	if (pci_device_shows_display(root, address))
		return err_set(
			w->err, ERR_ENVIRONMENT,
			"%s: the console or a monitor is on it; use another GPU or "
			"take the display off it",
			address);
	pci_device_open_by(root, address, &openers);
	if (refuse_if_any(w, address, &openers, "processes have it open",
			  "stop them (systemctl stop nvidia-persistenced nvidia-dcgm) or "
			  "end the VM that has it"))
		return -1;
	pci_device_children(root, address, &children);
	pci_device_slices(root, address, &children);
	if (refuse_if_any(
		    w, address, &children, "parts of it would go with its driver",
		    "take them away first (echo 0 > sriov_numvfs, mdevctl stop, tare "
		    "mig clear)"))
		return -1;
	pci_device_group_users(root, address, w->want->addresses, &users);
	return refuse_if_any(w, address, &users,
			     "other devices of its IOMMU group are in use",
			     "bind them together with it, or enable ACS on its port");
}

static int check_name(struct work *w, const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-");

	if (len && !name[len])
		return 0;
	return err_set(w->err, ERR_USAGE,
		       "'%s' is not a driver; it is 'nvidia', 'vfio', 'none' or a "
		       "driver's name",
		       name);
}

/* Everything that can be known before anything is touched. */
static int check_device(struct work *w, const char *address)
{
	char *driver, *has, *group;
	int rc;

	if (check_kind(w, address))
		return -1;
	driver = driver_for(w, address);
	has = pci_device_driver(w->host->root, address);
	group = pci_device_group(w->host->root, address);
	if (has_driver(w->host, address, driver))
		rc = 0;
	else if (driver_is_vfio(driver) && !group)
		rc = err_set(w->err, ERR_ENVIRONMENT,
			     "%s: it has no IOMMU group; switch on VT-d, AMD-Vi or the "
			     "SMMU in the firmware and boot with intel_iommu=on iommu=pt",
			     address);
	else
		rc = check_use(w, address);
	free(driver);
	free(has);
	free(group);
	return rc;
}

/* ---- steps ---- */

static struct binding_step *add_step(struct work *w, const char *what,
				     const char *address, const char *value,
				     const char *before)
{
	struct binding *b = w->b;

	GROW(b->steps, b->nr, b->alloc);
	b->steps[b->nr] = (struct binding_step){.what = what,
						.address = x_strdup(address),
						.value = x_strdup(value),
						.before = x_strdup(before),
						.state = BINDING_FAILED};
	return &b->steps[b->nr++];
}

/* An empty line takes the override away. */
static int write_override(const struct binding_host *host, const char *address,
			  const char *driver)
{
	char *line = x_asprintf("%s\n", driver ? driver : "");
	char *path = x_asprintf("%s/%s/driver_override", devices, address);
	int why = host->write(host->ctx, path, line);

	free(path);
	free(line);
	return why;
}

/* What is set now; "(null)" and "" are how kernels say none. free() */
static char *read_override(const char *root, const char *address)
{
	char *text = sysfs_text(root, "%s/%s/driver_override", devices, address);

	if (text && (!*text || strcmp(text, "(null)") == 0)) {
		free(text);
		text = NULL;
	}
	return text;
}

static bool restore_override(const struct binding_host *host, const char *address,
			     const char *before)
{
	char *now = read_override(host->root, address);
	bool same = is_same(now, before);

	free(now);
	return same || write_override(host, address, before) == 0;
}

static int write_driver(const struct binding_host *host, const char *driver,
			const char *file, const char *address)
{
	char *path = x_asprintf("%s/%s/%s", drivers, driver, file);
	int why = host->write(host->ctx, path, address);

	free(path);
	return why;
}

static int step_failed(struct work *w, const char *address, const char *what, int why)
{
	if (why)
		return err_set_code(w->err, ERR_ENVIRONMENT, "errno", why, "%s: %s: %s",
				    address, what, strerror(why));
	return err_set(w->err, ERR_ENVIRONMENT,
		       "%s: %s: the kernel took it and nothing changed; dmesg tells more",
		       address, what);
}

static int do_load(struct work *w, const char *address, const char *driver)
{
	struct binding_step *s;
	int why;

	if (sysfs_exists(w->host->root, "%s/%s", drivers, driver))
		return 0;
	s = add_step(w, "load", NULL, driver, NULL);
	why = w->host->load(w->host->ctx, driver);
	if (why || !sysfs_exists(w->host->root, "%s/%s", drivers, driver))
		return err_set(w->err, ERR_ENVIRONMENT,
			       "%s: the driver %s is not there and cannot be loaded "
			       "(modprobe); install the kernel's modules that bring it",
			       address, driver);
	s->state = BINDING_DONE;
	return 0;
}

/* 'what' is "override", or "clear" with NULL: none is asked for any more. */
static int do_override(struct work *w, const char *what, const char *address,
		       const char *driver)
{
	char *before = read_override(w->host->root, address);
	struct binding_step *s = add_step(w, what, address, driver, before);
	int why = write_override(w->host, address, driver);

	free(before);
	if (why)
		return step_failed(w, address, "driver_override", why);
	s->state = BINDING_DONE;
	return 0;
}

static int do_unbind(struct work *w, const char *address, const char *driver)
{
	struct binding_step *s = add_step(w, "unbind", address, driver, driver);
	int why = write_driver(w->host, driver, "unbind", address);

	if (why || !has_driver(w->host, address, NULL))
		return step_failed(w, address, "unbind", why);
	s->state = BINDING_DONE;
	return 0;
}

static int do_probe(struct work *w, const char *address, const char *driver)
{
	struct binding_step *s = add_step(w, "probe", address, driver, NULL);
	int why = w->host->write(w->host->ctx, "/sys/bus/pci/drivers_probe", address);

	if (why || !has_driver(w->host, address, driver))
		return step_failed(w, address, "probe", why);
	s->state = BINDING_DONE;
	return 0;
}

/* What the request says of it, beside the driver. */
static int set_override(struct work *w, const char *address)
{
	const char *want = w->want->override;
	char *now;
	bool same;

	if (!want)
		return 0;
	if (strcmp(want, BINDING_NONE) == 0)
		want = NULL;
	now = read_override(w->host->root, address);
	same = is_same(now, want);
	free(now);
	return same ? 0 : do_override(w, "override", address, want);
}

static int bind_one(struct work *w, const char *address)
{
	char *driver = driver_for(w, address);
	char *has = pci_device_driver(w->host->root, address);
	int rc = 0;

	/* The host's own driver needs no override to be found again; vfio keeps its own, so
	 * that nothing else takes the device meanwhile. */
	if (!has_driver(w->host, address, driver))
		rc = (driver && do_load(w, address, driver)) ||
		     do_override(w, "override", address, driver) ||
		     (has && do_unbind(w, address, has)) ||
		     (driver && do_probe(w, address, driver)) ||
		     (driver && !driver_is_vfio(driver) &&
		      do_override(w, "clear", address, NULL));
	free(driver);
	free(has);
	return rc || set_override(w, address) ? -1 : 0;
}

/* ---- undoing ---- */

/* Takes the device off whatever has it now; 0 when nothing has. */
static int release_device(const struct binding_host *host, const char *address)
{
	char *has = pci_device_driver(host->root, address);
	int why = has ? write_driver(host, has, "unbind", address) : 0;

	free(has);
	return why;
}

static bool undo_step(const struct binding_host *host, const struct binding_step *s)
{
	if (strcmp(s->what, "probe") == 0)
		return !release_device(host, s->address) &&
		       has_driver(host, s->address, NULL);
	if (strcmp(s->what, "override") == 0 || strcmp(s->what, "clear") == 0)
		return restore_override(host, s->address, s->before);
	if (strcmp(s->what, "unbind") == 0) {
		if (has_driver(host, s->address, s->before))
			return true;
		/* The override still names the new driver and is put back after this. */
		return restore_override(host, s->address, s->before) &&
		       ((write_driver(host, s->before, "bind", s->address) == 0 &&
			 has_driver(host, s->address, s->before)));
	}
	return true; /* a loaded module harms nobody */
}

/*
 * In reverse order. The step that failed is undone too: it may have worked half-way. A
 * step that cannot be undone does not keep the others from being tried.
 */
static size_t undo_all(struct work *w)
{
	size_t left = 0;

	for (size_t i = w->b->nr; i-- > 0;) {
		struct binding_step *s = &w->b->steps[i];
		bool was_done = s->state == BINDING_DONE;

		if (!undo_step(w->host, s)) {
			s->state = BINDING_LEFT;
			left++;
		} else if (was_done) {
			s->state = BINDING_UNDONE;
		}
	}
	return left;
}

static void say_what_is_left(struct work *w)
{
	for (size_t i = 0; w->err && i < w->b->nr; i++) {
		const struct binding_step *s = &w->b->steps[i];
		size_t len = strlen(w->err->text);

		if (s->state == BINDING_LEFT)
			snprintf(w->err->text + len, sizeof(w->err->text) - len,
				 "; could not be undone: %s of %s (was: %s)", s->what,
				 s->address, s->before ? s->before : "none");
	}
}

int binding_apply(const struct binding_host *host, const struct binding_request *want,
		  struct binding *ret, struct err *err)
{
	struct work w = {.host = host, .want = want, .b = ret, .err = err};
	int rc;

	*ret = (struct binding){0};
	rc = check_name(&w, want->driver) ||
	     (want->override && check_name(&w, want->override));
	for (size_t i = 0; !rc && want->addresses[i]; i++)
		rc = check_device(&w, want->addresses[i]);
	if (rc)
		return -1;
	for (size_t i = 0; !rc && want->addresses[i]; i++)
		rc = bind_one(&w, want->addresses[i]);
	if (rc) {
		if (undo_all(&w))
			say_what_is_left(&w);
		return -1;
	}
	ret->is_changed = ret->nr > 0;
	return 0;
}

void binding_release(struct binding *b)
{
	for (size_t i = 0; i < b->nr; i++) {
		free(b->steps[i].address);
		free(b->steps[i].value);
		free(b->steps[i].before);
	}
	free(b->steps);
	*b = (struct binding){0};
}

static struct json_object *step_to_json(const struct binding_step *s)
{
	static const char *const states[] = {
		[BINDING_DONE] = "done",
		[BINDING_FAILED] = "failed",
		[BINDING_UNDONE] = "undone",
		[BINDING_LEFT] = "left",
	};
	struct json_object *o = json_object_new_object();

	json_put_text(o, "step", s->what);
	json_put_text(o, "address", s->address);
	json_put_text(o, "value", s->value);
	json_put_text(o, "before", s->before);
	json_put_text(o, "state", states[s->state]);
	return o;
}

static struct json_object *device_to_json(const struct binding_host *host,
					  const char *address)
{
	struct json_object *o = json_object_new_object();
	char *driver = pci_device_driver(host->root, address);
	char *override = read_override(host->root, address);

	json_put_text(o, "address", address);
	json_put_text(o, "driver", driver);
	json_put_text(o, "override", override);
	free(driver);
	free(override);
	return o;
}

int binding_look(const struct binding_host *host, const struct binding_request *want,
		 struct err *err)
{
	struct binding none = {0};
	struct work w = {.host = host, .want = want, .b = &none, .err = err};

	for (size_t i = 0; want->addresses[i]; i++)
		if (check_kind(&w, want->addresses[i]))
			return -1;
	return 0;
}

struct json_object *binding_to_json(const struct binding_host *host,
				    const struct binding_request *want,
				    const struct binding *b, const struct err *err)
{
	struct json_object *o = json_object_new_object();
	struct json_object *steps = json_object_new_array();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < b->nr; i++)
		json_object_array_add(steps, step_to_json(&b->steps[i]));
	for (size_t i = 0; want->addresses[i]; i++)
		if (pci_device_is_address(want->addresses[i]))
			json_object_array_add(list,
					      device_to_json(host, want->addresses[i]));
	json_put_text(o, "schema", "tare.binding/1");
	json_put_text(o, "wanted", want->driver);
	json_put_bool(o, "changed", b->is_changed);
	json_put(o, "steps", steps);
	json_put(o, "devices", list);
	json_put_text(o, "error", err && err->kind != ERR_NONE ? err->text : NULL);
	return o;
}

#include "harness/cmd/command.h"

#include <string.h>

static int unknown(const struct opt_command *c, const struct command_action *actions,
		   const char *name, struct err *err)
{
	struct strvec names = {0};
	char meant[DID_YOU_MEAN_SIZE];

	for (const struct command_action *a = actions; a->name; a++)
		strvec_add(&names, a->name);
	err_set(err, ERR_USAGE, "%s: no such action '%.60s'%s; usage: %s %s", c->name,
		name, did_you_mean(meant, name, strvec_argv(&names), names.nr, ""),
		c->name, c->usage);
	strvec_release(&names);
	return -1;
}

int command_act(const struct opt_command *c, const struct command_action *actions,
		void *options, const struct strvec *rest, struct err *err)
{
	const struct command_action *a = actions;
	const struct strvec behind = {.items = rest->items + 1, .nr = rest->nr - 1};

	while (a->name && strcmp(a->name, rest->items[0]) != 0)
		a++;
	if (!a->name)
		return unknown(c, actions, rest->items[0], err);
	if (behind.nr < a->least)
		return err_set(err, ERR_USAGE,
			       "too few arguments; usage: %s %s [OPTION]... %s", c->name,
			       a->name, a->usage);
	if (behind.nr > a->most)
		return err_set(
			err, ERR_USAGE,
			"unexpected argument '%.200s'; usage: %s %s [OPTION]...%s%s",
			behind.items[a->most], c->name, a->name, *a->usage ? " " : "",
			a->usage);
	return a->work(options, &behind, err);
}

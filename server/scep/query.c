/* What polls and look-ups ask for. */
#include "scep/cms.h"

#include "base/der.h"

/*
 * A SEQUENCE of SETs. It tells a Name from the first parts of a PKCS#10,
 * which are SEQUENCEs too.
 */
static int
read_name(struct span *rest, struct span *out)
{
	struct der name;
	struct span rdn;

	if (der_next(rest, &name) == -1 || name.tag != DER_SEQUENCE)
		return -1;
	while (name.content.len > 0)
		if (der_expect(&name.content, DER_SET, &rdn) == -1)
			return -1;
	*out = name.whole;
	return 0;
}

int
query_read_subject(struct span der, struct span *issuer, struct span *subject)
{
	struct span first, second;

	if (der_expect(&der, DER_SEQUENCE, &der) == -1 ||
	    read_name(&der, &first) == -1 || read_name(&der, &second) == -1 ||
	    der.len > 0)
		return -1;
	*issuer = first;
	*subject = second;
	return 0;
}

int
query_read_serial(struct span der, struct span *issuer, struct span *serial)
{
	struct span name, number;

	if (der_expect(&der, DER_SEQUENCE, &der) == -1 ||
	    read_name(&der, &name) == -1 ||
	    der_expect(&der, DER_INTEGER, &number) == -1 || number.len == 0 ||
	    der.len > 0)
		return -1;
	*issuer = name;
	*serial = number;
	return 0;
}

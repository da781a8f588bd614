/* Lets user-mode Linux run where the processor has more registers than it knows.
 *
 * User-mode Linux 6.1 saves at most 2,696 bytes of a process's floating-point and
 * vector registers. A host with AMX has 11,008 bytes, and its kernel refuses to
 * restore a part of them (EFAULT; arch/x86/kernel/fpu/regset.c:xstateregs_set).
 * This wrapper of ptrace() completes such a part with what the process has.
 * `uml` builds it and preloads it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long (*ptrace_function)(enum __ptrace_request, ...);

static ptrace_function host_ptrace;

/* The registers of a process, more than any processor of today has. */
static _Alignas(64) char registers[64 * 1024];

static long restore(int process, struct iovec *part)
{
	void *kind = (void *)NT_X86_XSTATE;
	struct iovec whole = { registers, sizeof registers };

	if (host_ptrace(PTRACE_GETREGSET, process, kind, &whole) != 0 ||
	    whole.iov_len <= part->iov_len)
		return host_ptrace(PTRACE_SETREGSET, process, kind, part);
	memcpy(registers, part->iov_base, part->iov_len);
	return host_ptrace(PTRACE_SETREGSET, process, kind, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list list;

	va_start(list, request);
	int process = va_arg(list, int);
	void *address = va_arg(list, void *);
	void *data = va_arg(list, void *);
	va_end(list);
	if (!host_ptrace)
		host_ptrace = (ptrace_function)dlsym(RTLD_NEXT, "ptrace");
	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE)
		return restore(process, data);
	return host_ptrace(request, process, address, data);
}

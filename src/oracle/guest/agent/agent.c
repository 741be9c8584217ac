/*
 * Reads lists of system calls, makes them, and answers. x86-64, no C library. It is the first process of a guest, which reads from a virtio-serial
 * port; or of a process namespace on this machine (`soundcheck-trace`), which reads from descriptors 3 and 4.
 *
 * A request is a header, memories, pointers, calls and the memories' contents, each part 8-byte aligned; an answer is a header, outcomes
 * and what comes back. src/oracle/guest/frames.ts writes and reads them, and says what the fields mean.
 *
 * The first process starts others, which start others (AGENT_FORK). Each has a number and a socket pair, made in advance; lists for them are handed on by the
 * first. They keep all descriptors below 1000 free for the calls that they are asked to make.
 */
#include <stddef.h>
#include <stdint.h>

enum {
	NR_read = 0,
	NR_write = 1,
	NR_open = 2,
	NR_close = 3,
	NR_poll = 7,
	NR_rt_sigaction = 13,
	NR_dup2 = 33,
	NR_nanosleep = 35,
	NR_socketpair = 53,
	NR_fork = 57,
	NR_wait4 = 61,
	NR_kill = 62,
	NR_mkdir = 83,
	NR_prctl = 157,
	NR_setrlimit = 160,
	NR_mount = 165,
	NR_reboot = 169,
	NR_exit_group = 231,
	NR_unshare = 272,
	NR_finit_module = 313,
	NR_execveat = 322,
	NR_close_range = 436,
};

enum { O_RDONLY = 0, O_RDWR = 2, MODULE_INIT_COMPRESSED_FILE = 4, AT_EMPTY_PATH = 0x1000, POLLIN = 1 };
enum { CLONE_NEWNS = 0x20000, CLONE_NEWPID = 0x20000000, CLONE_NEWNET = 0x40000000 };
enum { SIGKILL = 9, SIGCHLD = 17, PR_SET_PDEATHSIG = 1, RLIMIT_NOFILE = 7, AF_UNIX = 1, SOCK_STREAM = 1 };
enum { EINTR = 4, ESRCH = 3, EAGAIN = 11, EINVAL = 22, HIGHEST_ERRNO = 4095 };

/* Descriptors: from 1000 on the two ends of each process's channel, the first process's first; then the way to whoever asks, this file, and errors. */
enum { PROCESSES = 64, CHANNELS = 1000, INPUT = 1900, OUTPUT, SELF, ERRORS, DESCRIPTORS = 2048 };

/* How long a process may take to answer. */
enum { LONGEST_MS = 20000 };

/* What is asked of an agent and is no system call. AGENT_EXEC is alone in its list. */
enum { AGENT_FORK = 0x10000, AGENT_EXEC, AGENT_EXIT, AGENT_GONE };

static long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* What the compiler may call by itself. Eight bytes at a time: a translated processor takes as long for one. */
void *memset(void *to, int byte, size_t size)
{
	void *at = to;
	size_t words = size / 8, rest = size % 8;
	uint64_t word = (uint8_t)byte * 0x0101010101010101;
	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(word) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(word) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	void *at = to;
	size_t words = size / 8, rest = size % 8;
	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

static size_t length(const char *text)
{
	size_t size = 0;
	while (text[size] != 0)
		size++;
	return size;
}

static int is(const char *text, const char *other)
{
	while (*text != 0 && *text == *other)
		text++, other++;
	return *text == *other;
}

static int in_guest, errors = 2;

static void say(const char *text)
{
	syscall6(NR_write, errors, (long)text, (long)length(text), 0, 0, 0);
}

static _Noreturn void leave(int status)
{
	for (;;)
		syscall6(NR_exit_group, status, 0, 0, 0, 0, 0);
}

/* Ends the guest: with panic=-1 and QEMU's -no-reboot a restart ends QEMU. */
static _Noreturn void give_up(const char *why)
{
	say("agent: ");
	say(why);
	say("\n");
	while (in_guest)
		syscall6(NR_reboot, 0xfee1dead, 672274793, 0x01234567, 0, 0, 0);
	leave(1);
}

static void pause_ms(long ms)
{
	long time[2] = { ms / 1000, ms % 1000 * 1000000 };
	syscall6(NR_nanosleep, (long)time, 0, 0, 0, 0, 0);
}

static void read_all(int input, void *to, size_t size)
{
	uint8_t *at = to;
	while (size > 0) {
		long got = syscall6(NR_read, input, (long)at, (long)size, 0, 0, 0);
		if (got == 0 && !in_guest)
			leave(0);
		if (got == 0 || got == -EAGAIN)
			pause_ms(1);
		else if (got < 0 && got != -EINTR)
			give_up("a request cannot be read");
		else if (got > 0) {
			at += got;
			size -= (size_t)got;
		}
	}
}

static void write_all(int output, const void *from, size_t size)
{
	const uint8_t *at = from;
	while (size > 0) {
		long put = syscall6(NR_write, output, (long)at, (long)size, 0, 0, 0);
		if (put == 0 || put == -EAGAIN)
			pause_ms(1);
		else if (put < 0 && put != -EINTR)
			give_up("an answer cannot be written");
		else if (put > 0) {
			at += put;
			size -= (size_t)put;
		}
	}
}

struct header {
	uint32_t magic, sequence;
	/* Of what follows the header. */
	uint32_t size;
	uint32_t memories, pointers, calls;
	/* Which one is to make the calls; the first is 0. */
	uint32_t process, unused;
};

enum { SENT = 1, BACK_ALL = 2, BACK_TEXT = 4 };

struct memory {
	uint32_t size, flags;
};

struct pointer {
	uint32_t memory, offset, target, unused;
};

enum { VALUE, MEMORY, RESULT };

struct call {
	uint32_t number;
	/* Two bits an argument. */
	uint32_t kinds;
	uint64_t arguments[6];
};

struct outcome {
	int64_t result;
	uint32_t errno_, unused;
};

enum { MAGIC = 0x6b63646e, ARENA = 64 << 20, MEMORIES = 1 << 16 };

static uint8_t request[ARENA] __attribute__((aligned(4096)));
static uint8_t fresh[ARENA] __attribute__((aligned(4096)));
static uint8_t answer[ARENA] __attribute__((aligned(4096)));
static uint8_t *places[MEMORIES];

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* The next bytes of an arena; a list that does not fit into it is a mistake of the host's. */
static uint8_t *take(uint8_t *arena, size_t *used, size_t size, size_t limit)
{
	uint8_t *place = arena + *used;
	if (size > limit - *used)
		give_up("a list of calls is too large");
	*used += aligned(size);
	return place;
}

/* Contents are where they were received; memory without contents is zeros. */
static void place_memories(const struct memory *memories, uint32_t count, size_t used, size_t received)
{
	size_t taken = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (memories[i].flags & SENT) {
			places[i] = take(request, &used, memories[i].size, received);
			continue;
		}
		places[i] = take(fresh, &taken, memories[i].size, ARENA);
		if (memories[i].flags & BACK_TEXT)
			places[i][0] = 0;
		else
			memset(places[i], 0, memories[i].size);
	}
}

/* This process: its number, where its lists come from and answers go, and whether it ends with this answer. */
static uint32_t self;
static int input = INPUT, output = OUTPUT, ending;

static _Noreturn void serve(void);

static void move(long from, int to)
{
	if (from < 0 || syscall6(NR_dup2, from, to, 0, 0, 0, 0) < 0)
		give_up("a descriptor cannot be moved");
	syscall6(NR_close, from, 0, 0, 0, 0, 0);
}

static void become(uint32_t process)
{
	self = process;
	input = output = (int)(CHANNELS + 2 * process + 1);
}

static long start_process(uint64_t process)
{
	if (process == 0 || process >= PROCESSES)
		return -EINVAL;
	long child = syscall6(NR_fork, 0, 0, 0, 0, 0, 0);
	if (child != 0)
		return child;
	if (self == 0) {
		syscall6(NR_close_range, 0, CHANNELS - 1, 0, 0, 0, 0);
		syscall6(NR_close, INPUT, 0, 0, 0, 0, 0);
		syscall6(NR_close, OUTPUT, 0, 0, 0, 0, 0);
	}
	become((uint32_t)process);
	serve();
}

static char *decimal(char *end, uint32_t value)
{
	*--end = 0;
	do
		*--end = (char)('0' + value % 10);
	while (value /= 10);
	return end;
}

/* A fresh image of this file, as the same process; it gives the answer. */
static long exec_self(uint32_t sequence)
{
	char number[12], answers[12];
	const char *given[] = { "soundcheck-process", decimal(number + 12, self), decimal(answers + 12, sequence), 0 };
	const char *environment[] = { 0 };
	return syscall6(NR_execveat, SELF, (long)"", (long)given, (long)environment, AT_EMPTY_PATH, 0);
}

/* Until a process, which has been asked to end, has given back all that it had. */
static long await_end(long process)
{
	long time[2] = { 0, 50000 };
	for (int waited = 0; waited < 20 * LONGEST_MS; waited++) {
		if (syscall6(NR_kill, process, 0, 0, 0, 0, 0) == -ESRCH)
			return 0;
		syscall6(NR_nanosleep, (long)time, 0, 0, 0, 0, 0);
	}
	give_up("a process does not end");
}

static long ask(uint32_t number, const long *value, uint32_t sequence)
{
	switch (number) {
	case AGENT_FORK:
		return start_process((uint64_t)value[0]);
	case AGENT_EXEC:
		return exec_self(sequence);
	case AGENT_EXIT:
		ending = 1;
		return 0;
	case AGENT_GONE:
		return await_end(value[0]);
	default:
		return syscall6(number, value[0], value[1], value[2], value[3], value[4], value[5]);
	}
}

static void make_call(const struct call *call, struct outcome *outcomes, uint32_t index, uint32_t sequence)
{
	long value[6];
	for (int i = 0; i < 6; i++) {
		uint64_t given = call->arguments[i];
		switch (call->kinds >> 2 * i & 3) {
		case MEMORY:
			value[i] = (long)places[given];
			break;
		case RESULT:
			value[i] = given < index ? (long)outcomes[given].result : -1;
			break;
		default:
			value[i] = (long)given;
		}
	}
	long result = ask(call->number, value, sequence);
	int failed = result < 0 && result >= -HIGHEST_ERRNO;
	outcomes[index].result = failed ? -1 : result;
	outcomes[index].errno_ = failed ? (uint32_t)-result : 0;
	outcomes[index].unused = 0;
}

/* Texts come back as their length and so many bytes. */
static void give_back(const struct memory *memories, uint32_t count, size_t *used)
{
	for (uint32_t i = 0; i < count; i++) {
		if (memories[i].flags & BACK_ALL) {
			memcpy(take(answer, used, memories[i].size, ARENA), places[i], memories[i].size);
		} else if (memories[i].flags & BACK_TEXT) {
			uint64_t size = 0;
			while (size < memories[i].size && places[i][size] != 0)
				size++;
			memcpy(take(answer, used, 8, ARENA), &size, 8);
			memcpy(take(answer, used, size, ARENA), places[i], size);
		}
	}
}

/* Hands a list on to another process, and its answer back. */
static void hand_on(const struct header *head)
{
	if (self != 0 || head->process >= PROCESSES)
		give_up("a request is for nobody");
	int channel = (int)(CHANNELS + 2 * head->process);
	struct {
		int fd;
		short events, revents;
	} awaited = { channel, POLLIN, 0 };
	write_all(channel, head, sizeof *head);
	write_all(channel, request, head->size);
	if (syscall6(NR_poll, (long)&awaited, 1, LONGEST_MS, 0, 0, 0) != 1)
		give_up("a process does not answer");
	struct header *reply = (void *)answer;
	read_all(channel, reply, sizeof *reply);
	if (reply->size > ARENA - sizeof *reply)
		give_up("an answer is malformed");
	read_all(channel, reply + 1, reply->size);
	write_all(output, answer, sizeof *reply + reply->size);
}

static void serve_one(void)
{
	struct header head;
	read_all(input, &head, sizeof head);
	if (head.magic != MAGIC || head.size > ARENA || head.memories > MEMORIES)
		give_up("a request is malformed");
	read_all(input, request, head.size);
	if (head.process != self) {
		hand_on(&head);
		return;
	}

	size_t used = 0;
	const struct memory *memories = (void *)take(request, &used, head.memories * sizeof *memories, head.size);
	const struct pointer *pointers = (void *)take(request, &used, head.pointers * sizeof *pointers, head.size);
	const struct call *calls = (void *)take(request, &used, head.calls * sizeof *calls, head.size);
	place_memories(memories, head.memories, used, head.size);
	for (uint32_t i = 0; i < head.pointers; i++) {
		uint8_t *target = places[pointers[i].target];
		memcpy(places[pointers[i].memory] + pointers[i].offset, &target, 8);
	}

	size_t answered = 0;
	struct header *reply = (void *)take(answer, &answered, sizeof *reply, ARENA);
	struct outcome *outcomes = (void *)take(answer, &answered, head.calls * sizeof *outcomes, ARENA);
	for (uint32_t i = 0; i < head.calls; i++)
		make_call(&calls[i], outcomes, i, head.sequence);
	give_back(memories, head.memories, &answered);
	*reply = (struct header){ MAGIC, head.sequence, (uint32_t)(answered - sizeof *reply), 0, 0, head.calls, self, 0 };
	write_all(output, answer, answered);
	if (ending)
		leave(0);
}

static _Noreturn void serve(void)
{
	for (;;)
		serve_one();
}

/* The drivers of the port, /modules/0, /modules/1, …, in an order that works; compressed ones the kernel unpacks. */
static void load_modules(void)
{
	char path[] = "/modules/0";
	for (; path[9] <= '9'; path[9]++) {
		long file = syscall6(NR_open, (long)path, O_RDONLY, 0, 0, 0, 0);
		if (file < 0)
			return;
		if (syscall6(NR_finit_module, file, (long)"", 0, 0, 0, 0) < 0 &&
		    syscall6(NR_finit_module, file, (long)"", MODULE_INIT_COMPRESSED_FILE, 0, 0, 0) < 0)
			give_up("a module cannot be loaded");
		syscall6(NR_close, file, 0, 0, 0, 0, 0);
	}
}

static long open_port(void)
{
	for (int attempt = 0; attempt < 10000; attempt++) {
		long opened = syscall6(NR_open, (long)"/dev/vport0p1", O_RDWR, 0, 0, 0, 0);
		if (opened >= 0)
			return opened;
		pause_ms(1);
	}
	give_up("there is no port");
}

/* What the first process needs beside its input and output before it starts others. */
static void prepare(const char *file)
{
	move(syscall6(NR_open, (long)file, O_RDONLY, 0, 0, 0, 0), SELF);
	/* Ended processes leave nothing behind that somebody would have to ask for. */
	uint64_t ignore[4] = { 1, 0, 0, 0 };
	syscall6(NR_rt_sigaction, SIGCHLD, (long)ignore, 0, 8, 0, 0);
	for (int process = 1; process < PROCESSES; process++) {
		int ends[2];
		if (syscall6(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, (long)ends, 0, 0) < 0)
			give_up("a channel cannot be made");
		move(ends[0], CHANNELS + 2 * process);
		move(ends[1], CHANNELS + 2 * process + 1);
	}
}

static void raise_limit(void)
{
	uint64_t limit[2] = { DESCRIPTORS, DESCRIPTORS };
	if (syscall6(NR_setrlimit, RLIMIT_NOFILE, (long)limit, 0, 0, 0, 0) < 0)
		give_up("so many descriptors are not allowed");
}

static void first_of_guest(void)
{
	in_guest = 1;
	load_modules();
	syscall6(NR_mkdir, (long)"/dev", 0755, 0, 0, 0, 0);
	syscall6(NR_mount, (long)"dev", (long)"/dev", (long)"devtmpfs", 0, 0, 0);
	raise_limit();
	move(open_port(), INPUT);
	output = INPUT;
	prepare("/init");
}

/* The first process of namespaces of its own: processes, mounts, network. All of them end with it, and it with the process that waits for it here. */
static void first_of_namespace(void)
{
	syscall6(NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	if (syscall6(NR_unshare, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET, 0, 0, 0, 0, 0) < 0)
		give_up("namespaces of one's own are not allowed");
	long child = syscall6(NR_fork, 0, 0, 0, 0, 0, 0);
	if (child < 0)
		give_up("no process can be started");
	if (child > 0) {
		syscall6(NR_close_range, 0, DESCRIPTORS, 0, 0, 0, 0);
		syscall6(NR_wait4, child, 0, 0, 0, 0, 0);
		leave(0);
	}
	syscall6(NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	raise_limit();
	move(3, INPUT);
	move(4, OUTPUT);
	move(2, ERRORS);
	errors = ERRORS;
	prepare("/proc/self/exe");
}

static uint32_t number(const char *text)
{
	uint32_t value = 0;
	while (*text != 0)
		value = 10 * value + (uint32_t)(*text++ - '0');
	return value;
}

/* The stack as a process finds it: how many arguments, and they. */
__attribute__((used)) static _Noreturn void begin(const long *stack)
{
	const char *const *given = (const char *const *)(stack + 1);
	if (stack[0] == 3 && is(given[0], "soundcheck-process")) {
		become(number(given[1]));
		errors = ERRORS;
		struct {
			struct header head;
			struct outcome outcome;
		} done = { { MAGIC, number(given[2]), sizeof done.outcome, 0, 0, 1, self, 0 }, { 0, 0, 0 } };
		write_all(output, &done, sizeof done);
		serve();
	}
	if (stack[0] == 1 && is(given[0], "soundcheck-trace"))
		first_of_namespace();
	else
		first_of_guest();
	/* An answer to nothing says that it is there. */
	struct header hello = { MAGIC, 0, 0, 0, 0, 0, 0, 0 };
	write_all(output, &hello, sizeof hello);
	serve();
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");

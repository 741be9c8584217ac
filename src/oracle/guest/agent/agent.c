/*
 * The only process of a guest: reads lists of system calls from a virtio-serial port, makes them, and answers. x86-64, no C library.
 *
 * A request is a header, memories, pointers, calls and the memories' contents, each part 8-byte aligned; an answer is a header, outcomes
 * and what comes back. src/oracle/guest/frames.ts writes and reads them, and says what the fields mean.
 */
#include <stddef.h>
#include <stdint.h>

enum { NR_read = 0, NR_write = 1, NR_open = 2, NR_close = 3, NR_nanosleep = 35, NR_mkdir = 83, NR_mount = 165, NR_reboot = 169, NR_finit_module = 313 };

enum { O_RDONLY = 0, O_RDWR = 2, MODULE_INIT_COMPRESSED_FILE = 4 };
enum { EINTR = 4, EAGAIN = 11, HIGHEST_ERRNO = 4095 };

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

static void say(const char *text)
{
	syscall6(NR_write, 1, (long)text, (long)length(text), 0, 0, 0);
}

/* Ends the guest: with panic=-1 and QEMU's -no-reboot a restart ends QEMU. */
static _Noreturn void give_up(const char *why)
{
	say("agent: ");
	say(why);
	say("\n");
	for (;;)
		syscall6(NR_reboot, 0xfee1dead, 672274793, 0x01234567, 0, 0, 0);
}

static void pause_ms(long ms)
{
	long time[2] = { ms / 1000, ms % 1000 * 1000000 };
	syscall6(NR_nanosleep, (long)time, 0, 0, 0, 0, 0);
}

static int port;

static void read_all(void *to, size_t size)
{
	uint8_t *at = to;
	while (size > 0) {
		long got = syscall6(NR_read, port, (long)at, (long)size, 0, 0, 0);
		if (got == 0 || got == -EAGAIN)
			pause_ms(1);
		else if (got < 0 && got != -EINTR)
			give_up("the port cannot be read");
		else if (got > 0) {
			at += got;
			size -= (size_t)got;
		}
	}
}

static void write_all(const void *from, size_t size)
{
	const uint8_t *at = from;
	while (size > 0) {
		long put = syscall6(NR_write, port, (long)at, (long)size, 0, 0, 0);
		if (put == 0 || put == -EAGAIN)
			pause_ms(1);
		else if (put < 0 && put != -EINTR)
			give_up("the port cannot be written");
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

static void make_call(const struct call *call, struct outcome *outcomes, uint32_t index)
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
	long result = syscall6(call->number, value[0], value[1], value[2], value[3], value[4], value[5]);
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

static void serve(void)
{
	struct header head;
	read_all(&head, sizeof head);
	if (head.magic != MAGIC || head.size > ARENA || head.memories > MEMORIES)
		give_up("a request is malformed");
	read_all(request, head.size);

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
		make_call(&calls[i], outcomes, i);
	give_back(memories, head.memories, &answered);
	*reply = (struct header){ MAGIC, head.sequence, (uint32_t)(answered - sizeof *reply), 0, 0, head.calls };
	write_all(answer, answered);
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

static void open_port(void)
{
	for (int attempt = 0; attempt < 10000; attempt++) {
		long opened = syscall6(NR_open, (long)"/dev/vport0p1", O_RDWR, 0, 0, 0, 0);
		if (opened >= 0) {
			port = (int)opened;
			return;
		}
		pause_ms(1);
	}
	give_up("there is no port");
}

void _start(void)
{
	load_modules();
	syscall6(NR_mkdir, (long)"/dev", 0755, 0, 0, 0, 0);
	syscall6(NR_mount, (long)"dev", (long)"/dev", (long)"devtmpfs", 0, 0, 0);
	open_port();
	/* An answer to nothing says that the guest is there. */
	struct header hello = { MAGIC, 0, 0, 0, 0, 0 };
	write_all(&hello, sizeof hello);
	for (;;)
		serve();
}

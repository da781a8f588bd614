/* The least that an IPVS client could do, to compare counts of instructions with.
 *
 *   floor WORKLOAD SERVICES DESTINATIONS [one]
 *
 * A program in plain C with plain system calls and without libraries. It builds each request
 * at a known place of a buffer, decodes answers at fixed offsets, checks nothing that it need
 * not check, and knows only the table of the workloads. With `one` it sends one request at a
 * time and waits for the answer; otherwise 64 requests at a time, of which the last one is
 * acknowledged. It exits with 0 when the workload is done and the numbers are right.
 * It is a rewriting of the floor that the measuring kit has, with the workloads of a controller
 * added. See ../README.md for the workloads and for how instructions are counted.
 *
 *   gcc -O2 -static -fno-strict-aliasing -o floor floor.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* The buffers that the kernel fills exactly: a block of 32 KiB or 8 KiB without its own data. */
#define LARGE 32448
#define SMALL 7872
#define FEW 60 /* Up to so many destinations per service the small buffer is the better one. */
#define DATAGRAMS 4

/* The workloads of a controller. */
#define ROUNDS 1000       /* of `change-one` */
#define EACH_SECOND 100   /* services that `churn` changes in a second */
#define SECONDS 60

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int batch = 64, buffer_of_destinations = LARGE;
static u16 family;
static u32 sequence;

/* The table: service i is TCP 10.0.0.1+i port 80, destination k is 172.16.0.1+k port 8080. */
static u32 service_address(u32 i) { return htonl(0x0a000001u + i); }
static u32 destination_address(u32 k) { return htonl(0xac100001u + k); }

static int open_socket(void)
{
	int one = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
	return fd;
}

/* Requests. */

#define WORD(length, kind) ((u32)(length) | (u32)(kind) << 16)

static inline u8 *put16(u8 *at, u16 kind, u16 value)
{
	((u32 *)at)[0] = WORD(6, kind);
	((u32 *)at)[1] = value;
	return at + 8;
}

static inline u8 *put32(u8 *at, u16 kind, u32 value)
{
	((u32 *)at)[0] = WORD(8, kind);
	((u32 *)at)[1] = value;
	return at + 8;
}

static inline u8 *put_header(u8 *at, u16 type, u16 flags, u8 command)
{
	struct nlmsghdr *header = (void *)at;
	header->nlmsg_type = type;
	header->nlmsg_flags = flags;
	header->nlmsg_seq = ++sequence;
	header->nlmsg_pid = 0;
	((u32 *)at)[4] = command | 1 << 8;
	return at + 20;
}

static inline u8 *put_service_id(u8 *at, u32 address)
{
	at = put16(at, IPVS_SVC_ATTR_AF, AF_INET);
	at = put16(at, IPVS_SVC_ATTR_PROTOCOL, IPPROTO_TCP);
	at = put32(at, IPVS_SVC_ATTR_ADDR, address);
	return put16(at, IPVS_SVC_ATTR_PORT, htons(80));
}

static inline u8 *put_service(u8 *message, u8 command, u16 flags, u32 address, int settings)
{
	u8 *nest = put_header(message, family, flags, command), *at = put_service_id(nest + 4, address);
	if (settings) {
		((u32 *)at)[0] = WORD(7, IPVS_SVC_ATTR_SCHED_NAME);
		((u32 *)at)[1] = 'r' | 'r' << 8;
		at += 8;
		((u32 *)at)[0] = WORD(12, IPVS_SVC_ATTR_FLAGS);
		((u32 *)at)[1] = 0;
		((u32 *)at)[2] = ~0u;
		at += 12;
		at = put32(at, IPVS_SVC_ATTR_TIMEOUT, 0);
		at = put32(at, IPVS_SVC_ATTR_NETMASK, 0xffffffff);
	}
	*(u32 *)nest = WORD(at - nest, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED);
	*(u32 *)message = at - message;
	return at;
}

/* With a weight: with every setting; without (negative): the identity only. */
static inline u8 *put_destination(u8 *message, u8 command, u16 flags, u32 service, u32 address,
				  int weight)
{
	u8 *nest = put_header(message, family, flags, command), *at = put_service_id(nest + 4, service);
	*(u32 *)nest = WORD(at - nest, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED);
	nest = at;
	at = put32(nest + 4, IPVS_DEST_ATTR_ADDR, address);
	at = put16(at, IPVS_DEST_ATTR_PORT, htons(8080));
	if (weight >= 0) {
		at = put32(at, IPVS_DEST_ATTR_FWD_METHOD, 0);
		at = put32(at, IPVS_DEST_ATTR_WEIGHT, weight);
		at = put32(at, IPVS_DEST_ATTR_U_THRESH, 0);
		at = put32(at, IPVS_DEST_ATTR_L_THRESH, 0);
	}
	*(u32 *)nest = WORD(at - nest, IPVS_CMD_ATTR_DEST | NLA_F_NESTED);
	*(u32 *)message = at - message;
	return at;
}

/* Changes: sent together, the last one acknowledged. */

static int commands;
static u8 answer[65536], *outbox, *end, *last;
static int pending;

static void flush(void)
{
	if (!pending)
		return;
	((struct nlmsghdr *)last)->nlmsg_flags |= NLM_F_ACK;
	ssize_t length = end - outbox;
	if (send(commands, outbox, length, 0) != length)
		die("send");
	ssize_t received = recv(commands, answer, sizeof answer, 0);
	if (received < 0)
		die("recv");
	for (u8 *at = answer; received >= 16;) {
		struct nlmsghdr *header = (void *)at;
		if (header->nlmsg_type == NLMSG_ERROR && *(int *)(at + 16)) {
			errno = -*(int *)(at + 16);
			die("refused");
		}
		u32 step = (header->nlmsg_len + 3) & ~3u;
		at += step;
		received -= step;
	}
	pending = 0;
	end = outbox;
}

static inline void added(u8 *next)
{
	last = end;
	end = next;
	if (++pending >= batch)
		flush();
}

static void look_family_up(void)
{
	u8 message[64] = { 0 }, *at = put_header(message, GENL_ID_CTRL, NLM_F_REQUEST, CTRL_CMD_GETFAMILY);
	*(u32 *)at = WORD(9, CTRL_ATTR_FAMILY_NAME);
	memcpy(at + 4, "IPVS", 5);
	at += 12;
	*(u32 *)message = at - message;
	if (send(commands, message, at - message, 0) < 0)
		die("send");
	ssize_t length = recv(commands, answer, sizeof answer, 0);
	if (length < 20 || ((struct nlmsghdr *)answer)->nlmsg_type == NLMSG_ERROR)
		die("no IPVS");
	for (u8 *at = answer + 20; at < answer + length; at += (((u16 *)at)[0] + 3) & ~3)
		if (((u16 *)at)[1] == CTRL_ATTR_FAMILY_ID)
			family = *(u16 *)(at + 4);
}

/* Answers. The kernel sends attributes in one order, so all lie at fixed offsets: check
 * every header, then load. */

struct counters { u64 value[10]; };
struct service {
	u32 address[4], flags, timeout, netmask;
	u16 family, protocol, port;
	char scheduler[16];
	struct counters counters;
};
struct destination {
	u32 address[4], method, weight, upper, lower, active, inactive, persistent;
	u16 port, family, tunnel_port, tunnel_flags;
	u8 tunnel_type;
	struct counters counters;
};

static struct service *services;
static struct destination *destinations;
static size_t service_count, destination_count, service_room, destination_room;

#define AT(offset) (*(const u32 *)(message + (offset)))

static inline u32 counters_at(const u8 *message, int offset, struct counters *into)
{
	u32 difference = 0;
	for (int i = 0; i < 10; i++) {
		difference |= AT(offset + 12 * i) ^ WORD(12, i + 1);
		memcpy(&into->value[i], message + offset + 12 * i + 4, 8);
	}
	return difference;
}

/* A service with a scheduler's name of two or three letters. */
static inline int read_service(const u8 *message, struct service *into)
{
	if (AT(0) != 320)
		return 0;
	u32 difference = AT(20) ^ WORD(300, IPVS_CMD_ATTR_SERVICE);
	difference |= AT(24) ^ WORD(6, IPVS_SVC_ATTR_AF);
	into->family = AT(28);
	difference |= AT(32) ^ WORD(6, IPVS_SVC_ATTR_PROTOCOL);
	into->protocol = AT(36);
	difference |= AT(40) ^ WORD(20, IPVS_SVC_ATTR_ADDR);
	memcpy(into->address, message + 44, 16);
	difference |= AT(60) ^ WORD(6, IPVS_SVC_ATTR_PORT);
	into->port = AT(64);
	u32 length = AT(68) & 0xffff;
	difference |= (AT(68) >> 16) ^ IPVS_SVC_ATTR_SCHED_NAME;
	if (length < 5 || length > 8)
		return 0;
	memset(into->scheduler, 0, 16);
	memcpy(into->scheduler, message + 72, 4);
	difference |= AT(76) ^ WORD(12, IPVS_SVC_ATTR_FLAGS);
	into->flags = AT(80);
	difference |= AT(88) ^ WORD(8, IPVS_SVC_ATTR_TIMEOUT);
	into->timeout = AT(92);
	difference |= AT(96) ^ WORD(8, IPVS_SVC_ATTR_NETMASK);
	into->netmask = AT(100);
	difference |= AT(104) ^ WORD(92, IPVS_SVC_ATTR_STATS);
	difference |= AT(196) ^ WORD(124, IPVS_SVC_ATTR_STATS64);
	difference |= counters_at(message, 200, &into->counters);
	return !difference;
}

static inline int read_destination(const u8 *message, struct destination *into)
{
	if (AT(0) != 356)
		return 0;
	u32 difference = AT(20) ^ WORD(336, IPVS_CMD_ATTR_DEST);
	difference |= AT(24) ^ WORD(20, IPVS_DEST_ATTR_ADDR);
	memcpy(into->address, message + 28, 16);
	difference |= AT(44) ^ WORD(6, IPVS_DEST_ATTR_PORT);
	into->port = AT(48);
	difference |= AT(52) ^ WORD(8, IPVS_DEST_ATTR_FWD_METHOD);
	into->method = AT(56);
	difference |= AT(60) ^ WORD(8, IPVS_DEST_ATTR_WEIGHT);
	into->weight = AT(64);
	difference |= AT(68) ^ WORD(5, IPVS_DEST_ATTR_TUN_TYPE);
	into->tunnel_type = AT(72);
	difference |= AT(76) ^ WORD(6, IPVS_DEST_ATTR_TUN_PORT);
	into->tunnel_port = AT(80);
	difference |= AT(84) ^ WORD(6, IPVS_DEST_ATTR_TUN_FLAGS);
	into->tunnel_flags = AT(88);
	difference |= AT(92) ^ WORD(8, IPVS_DEST_ATTR_U_THRESH);
	into->upper = AT(96);
	difference |= AT(100) ^ WORD(8, IPVS_DEST_ATTR_L_THRESH);
	into->lower = AT(104);
	difference |= AT(108) ^ WORD(8, IPVS_DEST_ATTR_ACTIVE_CONNS);
	into->active = AT(112);
	difference |= AT(116) ^ WORD(8, IPVS_DEST_ATTR_INACT_CONNS);
	into->inactive = AT(120);
	difference |= AT(124) ^ WORD(8, IPVS_DEST_ATTR_PERSIST_CONNS);
	into->persistent = AT(128);
	difference |= AT(132) ^ WORD(6, IPVS_DEST_ATTR_ADDR_FAMILY);
	into->family = AT(136);
	difference |= AT(140) ^ WORD(92, IPVS_DEST_ATTR_STATS);
	difference |= AT(232) ^ WORD(124, IPVS_DEST_ATTR_STATS64);
	difference |= counters_at(message, 236, &into->counters);
	return !difference;
}

/* Room for one more at the end of `what`. */
#define GROW(what, count, room) \
	if (count == room) { \
		room = room ? room * 2 : 1024; \
		what = realloc(what, room * sizeof *what); \
	}

/* Reads a datagram; true at the end of the dump. */
static inline int take(u8 *at, int length, int of_destinations)
{
	while (length >= 16) {
		struct nlmsghdr *header = (void *)at;
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR) {
			errno = -*(int *)(at + 16);
			die("dump");
		}
		if (of_destinations) {
			GROW(destinations, destination_count, destination_room)
			if (!read_destination(at, &destinations[destination_count++]))
				die("another layout of destinations");
		} else {
			GROW(services, service_count, service_room)
			if (!read_service(at, &services[service_count++]))
				die("another layout of services");
		}
		u32 step = (header->nlmsg_len + 3) & ~3u;
		at += step;
		length -= step;
	}
	return 0;
}

/* A read into a large buffer, while nothing is there, makes the first dump of a socket come
 * in large datagrams. */
static void prime(int fd, int size)
{
	u8 *buffer = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	recv(fd, buffer, size, MSG_DONTWAIT);
	munmap(buffer, size);
}

static void list_services(int fd)
{
	static u8 buffer[LARGE];
	u8 message[64], *at = put_header(message, family, NLM_F_REQUEST | NLM_F_DUMP, IPVS_CMD_GET_SERVICE);
	int length;
	*(u32 *)message = at - message;
	if (send(fd, message, at - message, 0) < 0)
		die("send");
	do
		if ((length = recv(fd, buffer, sizeof buffer, 0)) <= 0)
			die("recv");
	while (!take(buffer, length, 0));
}

static struct mmsghdr headers[DATAGRAMS];
static struct iovec places[DATAGRAMS];

/* Both datagrams of a short dump come with one system call. */
static void list_destinations(int fd, u32 service)
{
	u8 message[128], *at;
	int done = 0;
	at = put_service(message, IPVS_CMD_GET_DEST, NLM_F_REQUEST | NLM_F_DUMP, service, 0);
	if (send(fd, message, at - message, 0) < 0)
		die("send");
	while (!done) {
		int count = recvmmsg(fd, headers, 2, MSG_WAITFORONE, 0);
		if (count <= 0)
			die("recvmmsg");
		for (int i = 0; i < count; i++)
			done |= take(places[i].iov_base, headers[i].msg_len, 1);
	}
}

/* What is wanted, by address and port: open addressing. */

struct wanted { u32 address; u16 port, used; u32 one, other; };
static struct wanted *wanted_services, *wanted_destinations;
static u32 mask_of_services = 1, mask_of_destinations = 1;

static inline u32 hash(u32 address, u16 port)
{
	return (((u64)address << 16 | port) * 0x9E3779B97F4A7C15ull) >> 32;
}

static void insert(struct wanted *table, u32 mask, struct wanted entry)
{
	u32 at = hash(entry.address, entry.port) & mask;
	while (table[at].used)
		at = (at + 1) & mask;
	table[at] = entry;
}

static struct wanted *find(struct wanted *table, u32 mask, u32 address, u16 port)
{
	for (u32 at = hash(address, port) & mask; table[at].used; at = (at + 1) & mask)
		if (table[at].address == address && table[at].port == port)
			return &table[at];
	return 0;
}

static void build_wanted(u32 count, u32 each)
{
	while (mask_of_services < count * 2)
		mask_of_services <<= 1;
	while (mask_of_destinations < count * each * 2)
		mask_of_destinations <<= 1;
	wanted_services = calloc(mask_of_services--, sizeof(struct wanted));
	wanted_destinations = calloc(mask_of_destinations--, sizeof(struct wanted));
	for (u32 i = 0; i < count; i++) {
		insert(wanted_services, mask_of_services,
		       (struct wanted){ service_address(i), htons(80), 1, i, 0 });
		for (u32 k = i * each; k < (i + 1) * each; k++)
			insert(wanted_destinations, mask_of_destinations,
			       (struct wanted){ destination_address(k), htons(8080), 1, 1, i });
	}
}

static void compare(const struct service *service, size_t first, u32 each)
{
	struct wanted *wanted =
		find(wanted_services, mask_of_services, service->address[0], service->port);
	if (!wanted || service->protocol != IPPROTO_TCP || service->flags & ~2u || service->timeout ||
	    service->netmask != 0xffffffff || strcmp(service->scheduler, "rr") ||
	    destination_count - first != each)
		die("a service differs");
	for (size_t k = first; k < destination_count; k++) {
		struct destination *read = &destinations[k];
		struct wanted *also = find(wanted_destinations, mask_of_destinations,
					   read->address[0], read->port);
		if (!also || also->other != wanted->one || read->weight != also->one || read->method ||
		    read->upper || read->lower)
			die("a destination differs");
	}
}

/* Workloads. */

/* A socket for short dumps of destinations. */
static int open_dumps(void)
{
	int fd = open_socket(), size = buffer_of_destinations;
	prime(fd, size);
	u8 *buffers = mmap(0, (size_t)DATAGRAMS * size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < DATAGRAMS; i++) {
		places[i] = (struct iovec){ buffers + (size_t)i * size, size };
		headers[i].msg_hdr = (struct msghdr){ .msg_iov = &places[i], .msg_iovlen = 1 };
	}
	return fd;
}

static void list(u32 count, u32 each, int compares)
{
	int fd = open_socket();
	if (compares)
		build_wanted(count, each);
	prime(fd, LARGE);
	list_services(fd);
	if (service_count != count)
		die("services");
	fd = open_dumps();
	for (u32 i = 0; each && i < count; i++) {
		size_t first = destination_count;
		list_destinations(fd, services[i].address[0]);
		if (compares)
			compare(&services[i], first, each);
	}
	if (destination_count != (size_t)count * each)
		die("destinations");
}

static void program(u32 count, u32 each)
{
	for (u32 i = 0; i < count; i++) {
		u32 address = service_address(i);
		added(put_service(end, IPVS_CMD_NEW_SERVICE, NLM_F_REQUEST, address, 1));
		for (u32 k = i * each; k < (i + 1) * each; k++)
			added(put_destination(end, IPVS_CMD_NEW_DEST, NLM_F_REQUEST, address,
					      destination_address(k), 1));
	}
	flush();
}

static void delete(u32 count, u32 each)
{
	for (u32 i = 0; i < count; i++) {
		u32 address = service_address(i);
		for (u32 k = i * each; k < (i + 1) * each; k++)
			added(put_destination(end, IPVS_CMD_DEL_DEST, NLM_F_REQUEST, address,
					      destination_address(k), -1));
		added(put_service(end, IPVS_CMD_DEL_SERVICE, NLM_F_REQUEST, address, 0));
	}
	flush();
}

/* Adds and deletes one service. */
static void latency(u32 rounds)
{
	u32 address = service_address(0x800000);
	for (u32 i = 0; i < rounds; i++) {
		added(put_service(end, IPVS_CMD_NEW_SERVICE, NLM_F_REQUEST, address, 1));
		added(put_service(end, IPVS_CMD_DEL_SERVICE, NLM_F_REQUEST, address, 0));
	}
	flush();
}

/* Gives the destination that was added first another weight. */
static void set_destination(u32 rounds)
{
	for (u32 i = 0; i < rounds; i++)
		added(put_destination(end, IPVS_CMD_SET_DEST, NLM_F_REQUEST, service_address(0),
				      destination_address(0), 2 + i % 2));
	flush();
}

/* One service with its destinations. */
static void read_one(int dumps, u32 service, size_t each)
{
	u8 message[128], *at = put_service(message, IPVS_CMD_GET_SERVICE, NLM_F_REQUEST, service, 0);
	if (send(commands, message, at - message, 0) < 0)
		die("send");
	ssize_t length = recv(commands, answer, sizeof answer, 0);
	if (length <= 0)
		die("recv");
	service_count = destination_count = 0;
	take(answer, length, 0);
	list_destinations(dumps, service);
	if (service_count != 1 || destination_count != each)
		die("not as expected");
}

/* No connection and weight 0: the destination may be deleted. */
static void check_drained(u32 address)
{
	for (size_t k = 0; k < destination_count; k++) {
		struct destination *read = &destinations[k];
		if (read->address[0] == address && !read->weight && !read->active &&
		    !read->inactive && !read->persistent)
			return;
	}
	die("not drained");
}

static void add_destination(u32 service, u32 address)
{
	added(put_destination(end, IPVS_CMD_NEW_DEST, NLM_F_REQUEST, service, address, 1));
}

static void clear_weight(u32 service, u32 address)
{
	added(put_destination(end, IPVS_CMD_SET_DEST, NLM_F_REQUEST, service, address, 0));
}

static void delete_destination(u32 service, u32 address)
{
	added(put_destination(end, IPVS_CMD_DEL_DEST, NLM_F_REQUEST, service, address, -1));
}

/* Replaces the last destination of the service in the middle, ROUNDS times, each time by another
 * one, and at the end by the first one: read, add, weight 0, read, delete, read. The next change
 * is sent when the one before is acknowledged. */
static void change_one(u32 count, u32 each)
{
	u32 service = service_address(count / 2), first = count / 2 * each + each - 1;
	u32 old = destination_address(first);
	int dumps = open_dumps();
	for (u32 i = 1; i <= ROUNDS; i++) {
		u32 new = destination_address(i < ROUNDS ? count * each + i : first);
		read_one(dumps, service, each);
		add_destination(service, new);
		flush();
		clear_weight(service, old);
		flush();
		read_one(dumps, service, each + 1);
		check_drained(old);
		delete_destination(service, old);
		flush();
		read_one(dumps, service, each);
		old = new;
	}
}

/* Replaces the last destination of EACH_SECOND other services in each of SECONDS seconds, without
 * waiting for the next second: each step for all services of a second together. Leaves the new
 * destinations in the table. */
static void churn(u32 count, u32 each)
{
	struct { u32 service, old, new; } change[EACH_SECOND];
	int dumps = open_dumps();
	for (u32 first = 0; first < EACH_SECOND * SECONDS && first < count; first += EACH_SECOND) {
		u32 changes = 0;
		for (u32 i = first; i < first + EACH_SECOND && i < count; i++, changes++) {
			change[changes].service = service_address(i);
			change[changes].old = destination_address(i * each + each - 1);
			change[changes].new = destination_address(count * each + i);
		}
		for (u32 i = 0; i < changes; i++)
			read_one(dumps, change[i].service, each);
		for (u32 i = 0; i < changes; i++)
			add_destination(change[i].service, change[i].new);
		flush();
		for (u32 i = 0; i < changes; i++)
			clear_weight(change[i].service, change[i].old);
		flush();
		for (u32 i = 0; i < changes; i++) {
			read_one(dumps, change[i].service, each + 1);
			check_drained(change[i].old);
		}
		for (u32 i = 0; i < changes; i++)
			delete_destination(change[i].service, change[i].old);
		flush();
		for (u32 i = 0; i < changes; i++)
			read_one(dumps, change[i].service, each);
	}
}

int main(int count, char **arguments)
{
	if (count < 4)
		return 2;
	const char *workload = arguments[1];
	u32 first = strtoul(arguments[2], 0, 10), second = strtoul(arguments[3], 0, 10);
	if (count > 4 && !strcmp(arguments[4], "one"))
		batch = 1;
	if (second <= FEW)
		buffer_of_destinations = SMALL;
	commands = open_socket();
	look_family_up();
	end = outbox = malloc((size_t)(batch + 2) * 160);
	if (!strcmp(workload, "noop"))
		;
	else if (!strcmp(workload, "desired"))
		build_wanted(first, second);
	else if (!strcmp(workload, "program"))
		program(first, second);
	else if (!strcmp(workload, "write-and-read")) {
		program(first, second);
		list(first, second, 0);
	} else if (!strcmp(workload, "list"))
		list(first, second, 0);
	else if (!strcmp(workload, "reconcile"))
		list(first, second, 1);
	else if (!strcmp(workload, "delete"))
		delete(first, second);
	else if (!strcmp(workload, "latency"))
		latency(first);
	else if (!strcmp(workload, "setdest"))
		set_destination(first);
	else if (!strcmp(workload, "change-one"))
		change_one(first, second);
	else if (!strcmp(workload, "churn"))
		churn(first, second);
	else
		return 2;
	return 0;
}

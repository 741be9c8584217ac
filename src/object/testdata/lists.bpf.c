/* A tree and a list in global data, with the lock that guards both, and what they are made of. */
#include "../../../corpus/src/soundcheck_bpf.h"

#define CONTAINS(type, member) __attribute__((btf_decl_tag("contains:" #type ":" #member)))
#define GUARDED SEC(".data.guarded") __attribute__((visibility("hidden"), aligned(8)))

struct bpf_spin_lock {
    u32 val;
};
struct bpf_list_head {
    u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
    u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_rb_root {
    u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
    u64 opaque[4];
} __attribute__((aligned(8)));

struct flow {
    u64 key;
    struct bpf_list_node link;
};
struct leaf {
    u64 key;
    struct bpf_rb_node node;
};

GUARDED struct bpf_spin_lock lock;
GUARDED struct bpf_rb_root leaves CONTAINS(leaf, node);
GUARDED struct bpf_list_head flows CONTAINS(flow, link);

static void (*spin_lock)(struct bpf_spin_lock *) = (void *)93;
static void (*spin_unlock)(struct bpf_spin_lock *) = (void *)94;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *) SEC(".ksyms");
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *) SEC(".ksyms");
extern void *bpf_obj_new_impl(u64, void *) SEC(".ksyms");
extern void bpf_obj_drop_impl(void *, void *) SEC(".ksyms");

/* The id of the type is the loader's to put in: the type has to be in the object for that. */
#define NEW(type) bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), 0)

SEC("tc")
int make_both(struct __sk_buff *context)
{
    struct flow *flow = NEW(struct flow);
    struct leaf *leaf = NEW(struct leaf);
    if (flow)
        bpf_obj_drop_impl(flow, 0);
    if (leaf)
        bpf_obj_drop_impl(leaf, 0);
    return 0;
}

SEC("tc")
int drop_one(struct __sk_buff *context)
{
    struct bpf_list_node *link;
    struct bpf_rb_node *first;
    u64 key = 0;
    spin_lock(&lock);
    first = bpf_rbtree_first(&leaves);
    if (first)
        key = ((struct leaf *)((void *)first - __builtin_offsetof(struct leaf, node)))->key;
    link = bpf_list_pop_front(&flows);
    spin_unlock(&lock);
    if (link)
        bpf_obj_drop_impl((void *)link - __builtin_offsetof(struct flow, link), 0);
    return key != 0;
}

LICENSE("GPL");

package auth

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
)

// hundredThousand is a file of 100000 users with three rules each and rules
// for everybody.
func hundredThousand() string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "topic read site/%d/+/state\n", i)
	}
	b.WriteString("pattern write clients/%c/#\n")
	for i := range 100000 {
		fmt.Fprintf(&b, "user user%d\ntopic read home/%d/#\ntopic write home/%d/+/set\ntopic write status/%d\n", i, i, i, i)
	}
	return b.String()
}

// workloads are the questions that matter; each is answered with yes.
func workloads(t testing.TB) map[string]struct {
	acl *ACL
	p   *hook.Publish
} {
	type w = struct {
		acl *ACL
		p   *hook.Publish
	}
	ask := func(words, name string) *hook.Publish {
		return &hook.Publish{Client: clientOf(words), Message: &mqtt.Message{Topic: name}}
	}
	big := aclOf(t, hundredThousand())
	return map[string]w{
		"everything":  {aclOf(t, "topic #"), ask("", "sensors/1/temperature")},
		"pattern":     {aclOf(t, "pattern write clients/%c/#"), ask("c=dev7", "clients/dev7/up/1")},
		"big-pattern": {big, ask("c=dev7", "clients/dev7/up/1")},
		"big-user":    {big, ask("u=user99999", "status/99999")},
	}
}

func TestACL_AuthOnPublishAllocatesNothing(t *testing.T) {
	ctx := context.Background()
	for name, w := range workloads(t) {
		chain := hook.NewChain([]hook.Plugin{w.acl.Plugin()}, nil)
		if v, _ := chain.AuthOnPublish(ctx, w.p); v.Decision != hook.OK {
			t.Errorf("%s: got %+v", name, v)
		}
		if n := testing.AllocsPerRun(100, func() { w.acl.AuthOnPublish(ctx, w.p) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { chain.AuthOnPublish(ctx, w.p) }); n != 0 {
			t.Errorf("%s: got %v allocations through a chain, want 0", name, n)
		}
		refused := *w.p
		refused.Message = &mqtt.Message{Topic: "$SYS/x"}
		if n := testing.AllocsPerRun(100, func() { w.acl.AuthOnPublish(ctx, &refused) }); n != 0 {
			t.Errorf("%s: got %v allocations when refused, want 0", name, n)
		}
	}
}

func TestACL_AuthOnSubscribeAllocatesNothing(t *testing.T) {
	a, ctx := aclOf(t, "topic read a/#"), context.Background()
	s := &hook.Subscribe{Client: clientOf(""), Topics: []hook.Topic{{Filter: "a/+"}, {Filter: "$share/g/a/b"}}}
	if n := testing.AllocsPerRun(100, func() { a.AuthOnSubscribe(ctx, s) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkAuthOnPublish(b *testing.B) {
	ctx := context.Background()
	for name, w := range workloads(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.acl.AuthOnPublish(ctx, w.p)
			}
		})
		b.Run(name+"/chain", func(b *testing.B) {
			chain := hook.NewChain([]hook.Plugin{w.acl.Plugin()}, nil)
			b.ReportAllocs()
			for b.Loop() {
				chain.AuthOnPublish(ctx, w.p)
			}
		})
	}
}

func BenchmarkParseRules(b *testing.B) {
	text := hundredThousand()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseRules("f", text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPasswd(b *testing.B) {
	for name, line := range map[string]string{"6": ann, "7-101": bob} {
		p := passwdOf(b, line)
		user, _, _ := strings.Cut(line, ":")
		r := &hook.Register{Client: clientOf("u=" + user), Password: []byte(map[string]string{"ann": "secret", "bob": "geheim"}[user])}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.AuthOnRegister(context.Background(), r)
			}
		})
	}
}

package subtrie

import (
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// groupsOf returns the groups that match a name.
func groupsOf(tr *Trie[int], name string) []Group[int] {
	var r Result[int]
	tr.Match("", name, &r)
	return r.Groups
}

// TestGroup_Members reaches each member by its index, at all sizes.
func TestGroup_Members(t *testing.T) {
	tr := New[int]()
	for n := 1; n <= 500; n++ {
		tr.Insert("", mqtt.Subscription{Filter: "a/+", ShareName: "g"}, n)
		g := groupsOf(tr, "a/b")
		if len(g) != 1 || g[0].Share.Name != "g" || g[0].Share.Filter != "a/+" || g[0].Members.Len() != n {
			t.Fatalf("after %d members: %+v", n, g)
		}
		seen := map[int]bool{}
		for i := range n {
			seen[g[0].Members.At(i).Subscriber] = true
		}
		if len(seen) != n {
			t.Fatalf("At reaches %d of %d members", len(seen), n)
		}
	}
}

// TestGroup_Next keeps the cursor while members come and go, and the members of
// a match as they were.
func TestGroup_Next(t *testing.T) {
	tr := New[int]()
	sub := mqtt.Subscription{Filter: "a", ShareName: "g"}
	tr.Insert("", sub, 1)
	first := groupsOf(tr, "a")[0]
	first.Next.Add(5)
	tr.Insert("", sub, 2)
	tr.Insert("", mqtt.Subscription{Filter: "a", ShareName: "h"}, 2)
	tr.Insert("", plain("a"), 2)
	tr.Remove("", "g", "a", 1)
	for _, g := range groupsOf(tr, "a") {
		if g.Share.Name == "g" && g.Next.Load() != 5 {
			t.Errorf("Next = %d, want 5", g.Next.Load())
		}
	}
	if first.Members.Len() != 1 || first.Members.At(0).Subscriber != 1 {
		t.Errorf("members changed in the reader's hands: %+v", first.Members)
	}
}

// TestGroup_Key tells groups apart by share name and filter.
func TestGroup_Key(t *testing.T) {
	tr := New[int]()
	for i, sub := range []mqtt.Subscription{
		{Filter: "a/b", ShareName: "g"}, {Filter: "a/+", ShareName: "g"},
		{Filter: "a/b", ShareName: "h"}, {Filter: "a/#", ShareName: "g"},
	} {
		tr.Insert("", sub, i)
	}
	if g := groupsOf(tr, "a/b"); len(g) != 4 {
		t.Errorf("groups %+v, want 4", g)
	}
	if tr.Remove("", "i", "a/b", 0) || tr.Remove("", "", "a/b", 0) || !tr.Remove("", "g", "a/b", 0) {
		t.Error("Remove takes the wrong group")
	}
}

// TestResult_Reset gives room back that a rare wide match needed.
func TestResult_Reset(t *testing.T) {
	tr := New[int]()
	for i := range 2 * keepMatches {
		tr.Insert("", plain("wide"), i)
	}
	tr.Insert("", plain("narrow"), 0)
	var r Result[int]
	tr.Match("", "wide", &r)
	if len(r.Plain) != 2*keepMatches || r.Filters != 1 {
		t.Fatalf("%d matches of %d filters", len(r.Plain), r.Filters)
	}
	r.Reset()
	tr.Match("", "narrow", &r)
	r.Reset()
	if len(r.Plain) != 0 || cap(r.Plain) > keepMatches || r.Filters != 0 {
		t.Errorf("after Reset: len %d, cap %d, %d filters", len(r.Plain), cap(r.Plain), r.Filters)
	}
}

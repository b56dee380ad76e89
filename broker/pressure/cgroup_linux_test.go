package pressure

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Lines of /proc/self/mountinfo.
const (
	mountV1      = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	mountOther   = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
	mountUnified = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
	mountV2      = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
)

// TestCgroupMemory: what counts is the smallest limit of the cgroup and of its
// parents, wherever and in whichever version it is told.
func TestCgroupMemory(t *testing.T) {
	const none = "9223372036854771712\n"
	v1, v2 := "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
	for name, c := range map[string]struct {
		cgroup, mounts string
		files          map[string]string
		want           int64
	}{
		"missing":    {},
		"no mounts":  {"0::/\n", "", map[string]string{v2 + "/memory.max": "5000\n"}, 5000},
		"v1 no file": {"4:memory:/a\n", mountV1, nil, 0},
		"v1": {"9:cpu,cpuacct:/\n4:memory:/a/b\n", mountOther + mountV1, map[string]string{v1 + "/memory.limit_in_bytes": none,
			v1 + "/a/memory.limit_in_bytes": none, v1 + "/a/b/memory.limit_in_bytes": "4000\n"}, 4000},
		"v1 without a limit": {"4:memory:/a\n", mountV1, map[string]string{v1 + "/memory.limit_in_bytes": none, v1 + "/a/memory.limit_in_bytes": none}, 0},
		"v1 nested": {"4:memory:/a/b\n", mountV1, map[string]string{v1 + "/memory.limit_in_bytes": none,
			v1 + "/a/memory.limit_in_bytes": "3000\n", v1 + "/a/b/memory.limit_in_bytes": "4000\n"}, 3000},
		"v1 with another controller": {"4:cpu,memory:/a\n", "35 31 0:32 / /x rw - cgroup none rw,cpu,memory\n",
			map[string]string{"/x/a/memory.limit_in_bytes": "4000\n"}, 4000},
		"v1 in a container": {"4:memory:/docker/1234\n", "35 31 0:32 /docker/1234 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			map[string]string{v1 + "/memory.limit_in_bytes": "4000\n", v1 + "/docker/1234/memory.limit_in_bytes": "1\n"}, 4000},
		"v1 limited from outside of a namespace": {"4:memory:/\n", mountV1, map[string]string{v1 + "/memory.limit_in_bytes": none,
			v1 + "/memory.stat": "cache 0\nhierarchical_memory_limit 6000\nhierarchical_memsw_limit 5\n"}, 6000},
		"v2": {"0::/system.slice/lunemq.service\n", mountV2, map[string]string{v2 + "/system.slice/memory.max": "max\n",
			v2 + "/system.slice/lunemq.service/memory.max": "7000\n"}, 7000},
		"v2 nested": {"0::/a/b/c\n", mountV2, map[string]string{v2 + "/a/memory.max": "900\n", v2 + "/a/b/memory.max": "800\n",
			v2 + "/a/b/c/memory.max": "max\n", v2 + "/other/memory.max": "1\n"}, 800},
		"v2 without a limit": {"0::/a\n", mountV2, map[string]string{v2 + "/a/memory.max": "max\n"}, 0},
		"v2 in a namespace":  {"0::/\n", mountV2, map[string]string{v2 + "/memory.max": "7000\n"}, 7000},
		"v2 moved out of its namespace": {"0::/../x\n", mountV2, map[string]string{v2 + "/memory.max": "7000\n",
			v2 + "/x/memory.max": "1\n", "/sys/fs/x/memory.max": "1\n"}, 7000},
		"v2 in a container that sees the host's path": {"0::/docker/1234\n", mountV2, map[string]string{v2 + "/memory.max": "7000\n"}, 7000},
		"v2 seen from a parent namespace's mount": {"0::/\n", "30 24 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			map[string]string{v2 + "/memory.max": "7000\n"}, 7000},
		"v2 elsewhere": {"0::/a\n", "30 24 0:26 / /run/my\\040groups rw - cgroup2 none rw\n", map[string]string{"/run/my groups/a/memory.max": "7000\n"}, 7000},
		"v2 with the mount of another": {"0::/a\n", "29 24 0:26 /b /b rw - cgroup2 none rw\n" + mountV2 + "31 24 0:26 /ab /ab rw - cgroup2 none rw\n",
			map[string]string{"/b/memory.max": "1\n", "/ab/memory.max": "1\n", v2 + "/a/memory.max": "7000\n"}, 7000},
		"hybrid": {"4:memory:/a\n1:name=systemd:/a\n0::/b\n", mountV1 + mountUnified, map[string]string{v1 + "/a/memory.limit_in_bytes": "4000\n",
			v2 + "/unified/b/cgroup.procs": "1\n"}, 4000},
		"hybrid with both": {"4:memory:/a\n0::/b\n", mountV1 + mountUnified, map[string]string{v1 + "/a/memory.limit_in_bytes": "4000\n",
			v2 + "/unified/b/memory.max": "3500\n"}, 3500},
		"nonsense": {"4\n:::\n0::\n", "x - y\n\n - \n", map[string]string{v2 + "/memory.max": "a lot\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write := func(path, text string) {
				t.Helper()
				if text == "" {
					return
				}
				if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(root+path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("/proc/self/cgroup", c.cgroup)
			write("/proc/self/mountinfo", c.mounts)
			for path, text := range c.files {
				write(path, text)
			}
			if got := cgroupMemory(root); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestSmaller(t *testing.T) {
	for _, c := range [][3]int64{{0, 0, 0}, {0, 5, 5}, {5, 0, 5}, {5, 6, 5}, {6, 5, 5}, {5, 1 << 62, 5}, {1 << 62, 0, 0}, {1 << 62, 7, 7}, {-1, 3, 3}, {3, -1, 3}} {
		if got := smaller(c[0], c[1]); got != c[2] {
			t.Errorf("smaller(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

// TestInUse_All: memory counts that is not Go's.
func TestInUse_All(t *testing.T) {
	before := inUse()
	p, err := syscall.Mmap(-1, 0, 64<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(p) }()
	for i := 0; i < len(p); i += 4096 {
		p[i] = 1
	}
	if grown := inUse() - before; grown < 48<<20 {
		t.Errorf("grown by %d bytes, want 64 MB", grown)
	}
}

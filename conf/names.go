package conf

import "strings"

// nativeName returns the native name of a plugin or HTTP module that VerneMQ
// calls otherwise.
func nativeName(name string) string {
	switch rest, ok := strings.CutPrefix(name, "vmq_"); {
	case rest == "diversity":
		return "lua"
	case ok:
		return rest
	}
	return name
}

// nativeKey returns the native spelling of a key of one of VerneMQ's plugins,
// or "" when it is none: vmq_acl.acl_file is acl.acl_file, vmq_diversity.*
// script.*.
func nativeKey(key string) string {
	rest, ok := strings.CutPrefix(key, "vmq_")
	if !ok {
		return ""
	}
	if opt, ok := strings.CutPrefix(rest, "diversity."); ok {
		return "script." + opt
	}
	return rest
}

// verneKey is the opposite of nativeKey, for looking up rules: they are
// written with VerneMQ's names. It returns "" for keys without such a name.
func verneKey(key string) string {
	family, rest, ok := strings.Cut(key, ".")
	if !ok {
		return ""
	}
	switch family {
	case "script":
		return "vmq_diversity." + rest
	case "plugins":
		name, opt, _ := strings.Cut(rest, ".")
		if name == "lua" {
			name = "diversity"
		}
		return join("plugins.vmq_"+name, opt)
	case "passwd", "acl", "webhooks", "bridge", "http_pub", "web_ui":
		return "vmq_" + key
	}
	return ""
}

// join puts a dot between two parts of a key, either of which may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "." + b
}

package metric

var hookEntries = []Entry{
	{Name: "hook_errors", Field: "HookErrors", Unit: "calls", OID: "8.1", Help: "Hook calls that failed instead of deciding."},
	{Name: "acl_reloads", Field: "ACLReloads", Unit: "reloads", OID: "8.2", Help: "Reloads of the access control file that took effect."},
	{Name: "acl_reload_errors", Field: "ACLReloadErrors", Unit: "reloads", OID: "8.3", Help: "Reloads of the access control file that failed; the rules before stay."},
	{Name: "passwd_reloads", Field: "PasswdReloads", Unit: "reloads", OID: "8.4", Help: "Reloads of the password file that took effect."},
	{Name: "passwd_reload_errors", Field: "PasswdReloadErrors", Unit: "reloads", OID: "8.5", Help: "Reloads of the password file that failed; the passwords before stay."},
	{Name: "config_reloads", Field: "ConfigReloads", Unit: "reloads", OID: "8.6", Help: "Reloads of the configuration that took effect."},
	{Name: "config_reload_errors", Field: "ConfigReloadErrors", Unit: "reloads", OID: "8.7", Help: "Reloads of the configuration that failed."},
	{Name: "certificate_reload_errors", Field: "CertificateReloadErrors", Unit: "reloads", OID: "8.8", Help: "Reloads of certificates that failed; those before stay."},
}

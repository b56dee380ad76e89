package metric

const microseconds = "microseconds"

var storeEntries = []Entry{
	{Name: "store_commits", Field: "StoreCommits", Unit: "commits", OID: "7.1", Help: "Commits of the store; several writers may share one."},
	{Name: "store_errors", Field: "StoreErrors", Unit: "errors", OID: "7.2", Help: "Operations of the store that failed."},
	{Name: "storage_read_microseconds", Field: "StorageRead", Kind: KindHistogram, Unit: microseconds, OID: "7.3", Help: "Time of reads of the store in microseconds."},
	{Name: "storage_write_microseconds", Field: "StorageWrite", Kind: KindHistogram, Unit: microseconds, OID: "7.4", Help: "Time of writes of the store, until durable, in microseconds."},
	{Name: "storage_delete_microseconds", Field: "StorageDelete", Kind: KindHistogram, Unit: microseconds, OID: "7.5", Help: "Time of deletes of the store in microseconds."},
	{Name: "storage_scan_microseconds", Field: "StorageScan", Kind: KindHistogram, Unit: microseconds, OID: "7.6", Help: "Time of scans of the store in microseconds."},
	{Name: "store_commit_microseconds", Field: "StoreCommit", Kind: KindHistogram, Unit: microseconds, OID: "7.7", Help: "Time of commits of the store, fsync included, in microseconds."},
}

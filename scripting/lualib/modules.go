package lualib

// Modules is the catalogue of libraries.
var Modules = []Module{
	logModule, obfModule, jsonModule, kvModule, cryptoModule, bcryptModule, authCacheModule, apiModule, httpModule,
	postgresModule, cockroachModule, mysqlModule, mysql2Module, mongoModule, redisModule, memcachedModule,
}

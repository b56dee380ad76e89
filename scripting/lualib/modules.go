package lualib

// Modules is the catalogue of libraries.
var Modules = []Module{logModule, obfModule}

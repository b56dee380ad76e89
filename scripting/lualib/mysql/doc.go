// Package mysql is the driver behind the libraries mysql and mysql2.
//
// Statements are prepared by the server and their values sent beside them: what
// a client sent cannot become part of a statement. It must not know what
// statements are for.
//
// Reference 2.5, 2.8.
// Read first: mysql.go.
package mysql

module github.com/lunemq/lunemq

go 1.26

# LuneMQ: `make` prints what there is.
GO      ?= go
GOFLAGS ?= -trimpath
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X main.version=$(VERSION)
TOOLS    = $(GO) tool -modfile=.ci/tools.mod
HEAVY    = flock $${TMPDIR:-/tmp}/lunemq-heavy.lock

.PHONY: help
help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build lunemq, lunemq-admin and lunemq-bench into dist/
	CGO_ENABLED=0 $(GO) build $(GOFLAGS) -ldflags '$(LDFLAGS)' -o dist/ ./cmd/...

.PHONY: run
run: build ## build and start the broker with conf/quickstart.conf
	dist/lunemq serve --conf conf/quickstart.conf

.PHONY: test
test: ## the fast tests: Go and loopback only, under two minutes
	$(GO) test ./...

.PHONY: check
check: ## what must pass before a commit: format, vet, linters, tests
	@bad=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$bad" || { echo "gofmt would change: $$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags integration ./...
	$(TOOLS) staticcheck ./...
	$(TOOLS) staticcheck -tags integration ./...
	$(GO) mod tidy -diff
	$(GO) test ./...

.PHONY: race
race: ## the fast tests under the race detector, but those that measure memory
	$(HEAVY) $(GO) test -race -skip '^TestHostile$$' ./...

.PHONY: integration
integration: build ## tests with real clients (installed by .ci/run)
	$(HEAVY) $(GO) test -tags integration -run Integration -count=1 -timeout 15m ./...

CRASHES ?= 25
.PHONY: crashloop
crashloop: build ## kill a broker CRASHES times (25) while clients publish, and check what was promised
	$(HEAVY) env CRASHES=$(CRASHES) $(GO) test -tags integration -run CrashLoop -count=1 -timeout 30m -v ./cmd/lunemq

.PHONY: conformance
conformance: ## the protocol: wire scripts, and the count of normative statements
	$(GO) test -count=1 -run '^TestWire' ./broker
	$(GO) test -count=1 -v -run '^TestConformance' ./broker

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (20s)
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; $(HEAVY) $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg || exit 1; \
	  done; done

.PHONY: bench
bench: ## benchmarks of functions, with allocations
	$(HEAVY) $(GO) test -run '^$$' -bench . -benchmem ./...

RUNS ?= 5
.PHONY: bench-peers
bench-peers: build ## this broker and Mosquitto in turns, RUNS (5) each, as a table; QUICK=1: one short run
	$(HEAVY) dist/lunemq-bench peers --runs $(RUNS) $(if $(QUICK),--quick) $(if $(PEERS),--peers $(PEERS)) $(if $(ROWS),--rows '$(ROWS)')

.PHONY: bench-smoke
bench-smoke: build ## what must not allocate does not, and five rows of bench-peers; fails on the first only
	$(GO) test -count=1 -run 'Alloc' ./...
	-$(HEAVY) dist/lunemq-bench peers --quick --rows 'point to point,50 pairs at 200/s,16 kB,fan-out 1 to 500 at,connect and'

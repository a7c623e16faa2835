# Everything that is built, tested and generated. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

ENVOY_VERSION ?= 1.40.0
ENVOY_OLDEST := 1.36.4
ENVOY_ALL := 1.36.4 1.37.0 1.38.3 1.39.3 1.40.0
# Tests whose results may depend on Envoy's version.
ENVOY_TESTS := ./test/e2e ./test/breaker ./test/faults ./test/foreign ./test/hop ./test/rolling ./test/stress
E2E := $(filter-out ./test/hop ./test/faults,$(ENVOY_TESTS))
# Number of reloads under load in `make faults` and `make e2e-all`; CI runs fewer.
RELOADS ?= 1000
RACE := -race
SOAK ?= 30m
STRESS ?= 20000
STRESS_SEED ?= $(shell date +%s)
ENVOY := .tools/envoy-$(ENVOY_VERSION)/envoy
REDIS := .tools/redis-stack/.stamp
SDKS := .tools/sdk-python/.stamp
GOLANGCI_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
GOVULNCHECK := .tools/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
EXAMPLE := examples/deck/global.yaml
FUZZTIME ?= 60s

.PHONY: help build run tools test suites unit e2e e2e-oldest e2e-all soak stress stress-uds upgrade faults faults-oldest vet lint golangci vulncheck release bench fuzz corpus model generate golden clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# No DWARF tables: a first build takes a tenth less time, and stack traces still have
# line numbers.
build: ## build bin/semlb
	@[ -x bin/semlb ] || echo "building semlb; the first build takes a few minutes and prints nothing"
	@CGO_ENABLED=0 go build -trimpath -gcflags=all=-dwarf=false -ldflags=-s -o bin/semlb .

run: ## serve the decK example with demo LLMs; needs no key and no server
	@$(MAKE) --no-print-directory --silent --jobs=2 build $(ENVOY)
	@bin/semlb run --demo -c $(EXAMPLE) --envoy $(ENVOY)

tools: $(ENVOY) .tools/envoy-$(ENVOY_OLDEST)/envoy $(REDIS) $(SDKS) ## install what the tests need into .tools/

.tools/envoy-%/envoy: scripts/get-envoy.sh
	@scripts/get-envoy.sh $* .tools/envoy-$*
	@touch $@

$(REDIS): scripts/get-redis.sh
	@scripts/get-redis.sh
	@touch $@

$(SDKS): scripts/get-sdks.sh
	@scripts/get-sdks.sh
	@touch $@

# golangci-lint takes minutes to compile: it runs at low priority beside the tests, and
# prints only its findings. The suites that run Envoy are idle half of the time, so three
# run in parallel.
test: ## run everything that CI runs
	@$(MAKE) --no-print-directory --jobs=2 vet tools
	@nice -n 19 $(MAKE) --no-print-directory golangci >.tools/golangci.log 2>&1 & lint=$$!; \
	$(MAKE) --no-print-directory suites; tested=$$?; \
	wait $$lint || { cat .tools/golangci.log; tested=1; }; exit $$tested

suites:
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target RELOADS=100 faults e2e e2e-oldest faults-oldest stress-uds

# Configurations are loaded in one goroutine, where the race detector has nothing to find
# and slows parsers by a factor of ten.
unit: tools ## test the packages that do not depend on Envoy's version, with the race detector
	go test -race -timeout 20m -skip 'TestHostile.*Costs?Little' -p 3 $$(go list ./... | grep -Ev '/config/load$$|/test/($(subst $() ,|,$(notdir $(ENVOY_TESTS))))$$')
	go test -timeout 20m ./config/load
	go test -run 'TestHostile.*Costs?Little' ./config/terraform

e2e: tools ## test the others on Envoy ENVOY_VERSION, without faults and hop
	ENVOY_VERSION=$(ENVOY_VERSION) go test $(RACE) -timeout 20m -p 1 $(E2E)

# The oldest Envoy runs without the race detector, which checks the same code on the newest.
e2e-oldest: ## run e2e on the oldest Envoy, without rolling restarts
	@$(MAKE) --no-print-directory ENVOY_VERSION=$(ENVOY_OLDEST) RACE= E2E="$(filter-out ./test/rolling,$(E2E))" e2e

# The rows of both runs together cover both kinds of hop.
faults-oldest: ## run faults on the oldest Envoy, with the hop over a socket
	@SEMLB_HOP=uds $(MAKE) --no-print-directory ENVOY_VERSION=$(ENVOY_OLDEST) RACE= faults

e2e-all: tools ## run all of these on every supported Envoy, with both kinds of hop
	@set -e; for v in $(ENVOY_ALL); do for hop in internal uds; do \
		echo "Envoy $$v, hop $$hop"; ENVOY_VERSION=$$v SEMLB_HOP=$$hop SEMLB_RELOADS=$(RELOADS) go test -count 1 -timeout 30m -p 1 $(ENVOY_TESTS); done; done

soak: tools ## run faults, reloads and restarts under load for SOAK (24h is fine); prints a summary
	SOAK=$(SOAK) ENVOY_VERSION=$(ENVOY_VERSION) go test -count 1 -timeout 0 -v ./test/soak

stress: tools ## send STRESS planned requests at once through each kind of hop; STRESS_SEED repeats a run
	@set -e; for hop in internal uds; do \
		STRESS=$(STRESS) STRESS_SEED=$(STRESS_SEED) SEMLB_HOP=$$hop ENVOY_VERSION=$(ENVOY_VERSION) go test -count 1 -timeout 60m -v ./test/stress; done

stress-uds: tools # e2e has the same 3,000 requests with the other kind of hop
	SEMLB_HOP=uds ENVOY_VERSION=$(ENVOY_VERSION) go test -timeout 20m ./test/stress

upgrade: tools ## replace the semlb of the commit FROM by this one under load, and back
	@d=$$(mktemp -d); trap 'rm -rf "$$d"' EXIT; git archive $(FROM) | tar -x -C "$$d" && (cd "$$d" && CGO_ENABLED=0 go build -o semlb .) && \
		SEMLB_FROM="$$d/semlb" ENVOY_VERSION=$(ENVOY_VERSION) go test -count 1 -timeout 20m -v -run AnotherVersion ./test/rolling

lint: vet golangci ## run vet and golangci-lint

golangci: $(GOLANGCI) ## run golangci-lint
	$(GOLANGCI) run --allow-parallel-runners ./...

# go install verifies it and its dependencies with the checksum database.
$(GOLANGCI):
	GOBIN=$(CURDIR)/$(@D) CGO_ENABLED=0 go install -trimpath -gcflags=all=-dwarf=false -ldflags=-s \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

# It reads Go's database of vulnerabilities, or that of GOVULNDB, so it is no part of `make
# test`. It exits with 3 for findings, and with another status if it could not look for any.
vulncheck: $(GOVULNCHECK) ## look for known vulnerabilities in what the program calls; needs network
	@$(GOVULNCHECK) ./... || { \
		if [ $$? = 3 ]; then echo "vulncheck: vulnerabilities were found"; \
		else echo "vulncheck: NOT CHECKED: see above; is Go's vulnerability database reachable (GOVULNDB)?"; fi; exit 1; }

$(GOVULNCHECK):
	GOBIN=$(CURDIR)/$(@D) CGO_ENABLED=0 go install -trimpath golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

release: ## build dist/VERSION: binaries for Linux, SBOMs, checksums; twice, with the same bytes
	@scripts/release.sh

faults: tools ## inject the faults that semlb has to survive, and print a table; SEMLB_HOP=uds for the other hop
	cd test/faults && ENVOY_VERSION=$(ENVOY_VERSION) SEMLB_RELOADS=$(RELOADS) go test $(RACE) -count 1 -timeout 30m

vet: ## check gofmt, go vet and go.mod
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "gofmt: $$bad"; exit 1; }
	go vet ./...
	go mod tidy -diff

bench: ## run benchmarks of the request path, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./provider/... ./router ./vectordb ./embeddings/...

fuzz: ## run every fuzz target for FUZZTIME
	@set -e; for target in $$(git grep -hoE '^func Fuzz[A-Za-z0-9]+' -- '*_test.go' | awk '{print $$2}'); do \
		dir=$$(dirname $$(git grep -lE "^func $$target\(" -- '*_test.go')); \
		echo "fuzz $$dir $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$dir; done

corpus: ## copy inputs that fuzzing found on this machine into testdata/fuzz, as seeds
	@scripts/keep-corpus.sh

# The tests that write these documents have names that end in IsUpToDate.
generate: ## write the documents that are generated from the code
	UPDATE_GOLDEN=1 go test -count 1 -run 'IsUpToDate$$' \
		$$(git grep -lE '^func Test[A-Za-z]*IsUpToDate\(' -- '*_test.go' | xargs -n 1 dirname | sort -u | sed 's|^|./|')

golden: ## update the golden files; review the difference
	UPDATE_GOLDEN=1 go test -count 1 ./config/... ./envoy/... ./provider/...

model: ## train the built-in embedding model again (downloads the teacher)
	embeddings/training/make-model.sh

clean: ## remove bin/; .tools/ stays
	rm -rf bin

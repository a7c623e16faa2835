# Everything the project does, by name. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

ENVOY_VERSION ?= 1.40.0
ENVOY_OLDEST := 1.36.4
ENVOY_ALL := 1.36.4 1.37.0 1.38.3 1.39.3 1.40.0
# The tests whose results may depend on the version of Envoy.
ENVOY_TESTS := ./test/e2e ./test/breaker ./test/faults ./test/foreign ./test/hop ./test/rolling
E2E := $(filter-out ./test/hop ./test/faults,$(ENVOY_TESTS))
# Reloads under load in `make faults` and `make e2e-all`; CI has fewer.
RELOADS ?= 1000
RACE := -race
SOAK ?= 30m
ENVOY := .tools/envoy-$(ENVOY_VERSION)/envoy
REDIS := .tools/redis-stack/.stamp
SDKS := .tools/sdk-python/.stamp
GOLANGCI_VERSION := v2.15.0
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
EXAMPLE := examples/deck/global.yaml
FUZZTIME ?= 60s

.PHONY: help build run tools test suites unit e2e e2e-oldest e2e-all soak faults faults-oldest vet lint golangci bench fuzz corpus model generate golden clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Without the tables for debuggers: a first build takes a tenth less. Stack traces have
# their lines all the same.
build: ## bin/semlb
	@go build -trimpath -gcflags=all=-dwarf=false -ldflags=-s -o bin/semlb .

run: ## serve the decK example with demo LLMs: no key, no server
	@$(MAKE) --no-print-directory --jobs=2 build $(ENVOY)
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

# golangci-lint, which takes minutes to compile, gets what the tests leave of the
# processors, and prints only what it finds. The suites on Envoy wait for half of their
# time, so three run at a time.
test: ## everything CI runs
	@$(MAKE) --no-print-directory --jobs=2 vet tools
	@nice -n 19 $(MAKE) --no-print-directory golangci >.tools/golangci.log 2>&1 & lint=$$!; \
	$(MAKE) --no-print-directory suites; tested=$$?; \
	wait $$lint || { cat .tools/golangci.log; tested=1; }; exit $$tested

suites:
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target RELOADS=100 faults e2e e2e-oldest faults-oldest

unit: tools ## every package whose results do not depend on the version of Envoy, with the race detector
	go test -race -p 3 $$(go list ./... | grep -Ev '/test/($(subst $() ,|,$(notdir $(ENVOY_TESTS))))$$')

e2e: tools ## the others on Envoy of ENVOY_VERSION, but for the faults, and the long tests of the hop in e2e-all
	ENVOY_VERSION=$(ENVOY_VERSION) go test $(RACE) -timeout 15m -p 1 $(E2E)

# On the oldest Envoy without the race detector: it watches the same code on the newest.
e2e-oldest: ## the same as e2e but for rolling restarts, on the oldest Envoy
	@$(MAKE) --no-print-directory ENVOY_VERSION=$(ENVOY_OLDEST) RACE= E2E="$(filter-out ./test/rolling,$(E2E))" e2e

faults-oldest: ## the same as faults, on the oldest Envoy
	@$(MAKE) --no-print-directory ENVOY_VERSION=$(ENVOY_OLDEST) RACE= faults

e2e-all: tools ## end to end on every Envoy that is supported, and with a hop over a socket
	@set -e; for v in $(ENVOY_ALL); do for hop in internal uds; do \
		echo "Envoy $$v, hop $$hop"; ENVOY_VERSION=$$v SEMLB_HOP=$$hop SEMLB_RELOADS=$(RELOADS) go test -count 1 -timeout 30m -p 1 $(ENVOY_TESTS); done; done

soak: tools ## faults, reloads and restarts under load for SOAK (24h is fine); prints a summary
	SOAK=$(SOAK) ENVOY_VERSION=$(ENVOY_VERSION) go test -count 1 -timeout 0 -v ./test/soak

lint: vet golangci ## vet and golangci-lint

golangci: $(GOLANGCI) ## golangci-lint alone
	$(GOLANGCI) run --allow-parallel-runners ./...

# Go compares it and all that it imports with the checksum database.
$(GOLANGCI):
	GOBIN=$(CURDIR)/$(@D) CGO_ENABLED=0 go install -trimpath -gcflags=all=-dwarf=false -ldflags=-s \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

faults: tools ## what semlb has to survive, row by row, with a table of what was seen
	cd test/faults && ENVOY_VERSION=$(ENVOY_VERSION) SEMLB_RELOADS=$(RELOADS) go test $(RACE) -count 1 -timeout 30m

vet: ## gofmt, go vet and go.mod
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "gofmt: $$bad"; exit 1; }
	go vet ./...
	go mod tidy -diff

bench: ## benchmarks of the request path, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./provider/... ./router ./vectordb ./embeddings/...

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for target in $$(git grep -hoE '^func Fuzz[A-Za-z0-9]+' -- '*_test.go' | awk '{print $$2}'); do \
		dir=$$(dirname $$(git grep -lE "^func $$target\(" -- '*_test.go')); \
		echo "fuzz $$dir $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$dir; done

corpus: ## keep what fuzzing found on this machine in testdata/fuzz, where it is run as seeds
	@scripts/keep-corpus.sh

# The tests of these documents have names that end in IsUpToDate.
generate: ## write the documents that are made from the code
	UPDATE_GOLDEN=1 go test -count 1 -run 'IsUpToDate$$' \
		$$(git grep -lE '^func Test[A-Za-z]*IsUpToDate\(' -- '*_test.go' | xargs -n 1 dirname | sort -u | sed 's|^|./|')

golden: ## write the golden files anew; look at the difference
	UPDATE_GOLDEN=1 go test -count 1 ./config/... ./envoy/... ./provider/...

model: ## train the built-in embedding model anew (downloads the teacher)
	embeddings/training/make-model.sh

clean: ## remove what was built; .tools/ stays
	rm -rf bin

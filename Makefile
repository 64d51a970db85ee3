# ksu: `make` lists the targets.
.DEFAULT_GOAL := help
.SUFFIXES:

# Variables of `make run`. The local stack has the defaults.

# PORT of the REST API on 127.0.0.1; default SERVER_PORT of the environment, else server.port of CONFIG, else SERVER_PORT of .env,
# else 8080. Docker Compose reads .env too.
PORT ?=
SERVER_PORT ?= $(if $(value CONFIG)$(KSU_CONFIG),,$(DOTENV_PORT))
DOTENV_PORT = $(shell sed -n 's/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}SERVER_PORT=["'\'']*\([0-9]*\).*/\2/p' .env 2>/dev/null | tail -n 1)
# AWS_PORT of the AWS endpoint on 127.0.0.1; default 4566.
AWS_PORT ?=
# PARAMS are template parameters: "Semaphore=4 JobMinDuration=2s".
PARAMS ?=
# STORAGE is where tasks are kept: postgres; internal, a file in DATA; or auto (the default), a Postgres that is configured or
# installed, else internal.
STORAGE ?=
# CLICKHOUSE is where logs go beside the terminal: off (the default), auto, or a server's host:port.
CLICKHOUSE ?=
# DATA is the folder of everything that outlives a run; default .local.
DATA ?=
# PPROF=1 serves the profiles of the local stack and of every function environment.
PPROF ?=
# CONFIG is a config.yaml; all variables here and those of the environment win over it.
CONFIG ?=

# Values reach the recipe as shell variables and are not expanded, so that quotes, spaces and $ in them survive.
override PARAMS := $(value PARAMS)
override STORAGE := $(value STORAGE)
override CLICKHOUSE := $(value CLICKHOUSE)
override DATA := $(value DATA)
override CONFIG := $(value CONFIG)
override API_KEY := $(value API_KEY)
override task := $(value task)
export PARAMS STORAGE CLICKHOUSE DATA CONFIG SERVER_PORT API_KEY task

RUN_FLAGS = $(if $(PORT),--port $(PORT)) $(if $(AWS_PORT),--aws-port $(AWS_PORT)) $(if $(DATA),--data "$$DATA") \
	$(if $(filter-out 0 no off false,$(PPROF)),--pprof)
# The configuration becomes flags of the local stack. PARAMS are read from the environment, since they may hold passwords.
CONFIGURATION_FLAGS = $(if $(CONFIG),-config "$$CONFIG") $(if $(STORAGE),-storage "$$STORAGE") \
	$(if $(CLICKHOUSE),-clickhouse "$$CLICKHOUSE") -out "$${DATA:-.local}"/run

# Tools.

GO ?= go
# Programs that are built here are below DATA, so that a checkout can be read-only.
BIN = "$${DATA:-.local}"/bin
LOCALSTACK = $(BIN)/localstack
PARAMS_PROGRAM = $(BIN)/params
GOLANGCI_LINT = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VENV = .local/venv
SAM_ENV = SAM_CLI_TELEMETRY=0 SAM_CLI_CHECK_VERSION=0
SAM_BIN = ../../$(VENV)/bin/sam
SAM = $(SAM_ENV) $(SAM_BIN)
COMPOSE = docker compose
NEED = .ci/need "go=$(firstword $(GO))"

# How the functions are built for Lambda: small, static, the same from every folder, without the RPC mode of the
# retired go1.x runtime, without net/http/pprof, and without the embedded store, since no two functions share a file.
# COMMIT is what their log lines call their version.
LAMBDA_BUILD = CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false '-ldflags=-s -w -X github.com/eragon-mdi/ksu/shared/logging.commit=$(COMMIT)' -tags=lambda.norpc,nopprof,nosqlite"
COMMIT = $(shell git describe --always --dirty=+ --abbrev=12 --exclude='*' 2>/dev/null)
FUNCTIONS = functions/api functions/worker functions/sweeper migrate
# ARCH of `make build`: arm64, as the template's default, or amd64.
ARCH ?= arm64

.PHONY: need_go
need_go:
	@$(NEED)
run parity lint build sam-local migrate_new: need_go

# The text behind a target's "##" is its help, one behind "##@" a heading; lines end before column 80.
.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } \
		/^[a-z_-]+:.*## / { line = sprintf("  %-12s", $$1); n = split($$2, words, " "); \
			for (i = 1; i <= n; i++) { \
				if (length(line " " words[i]) > 79) { print line; line = sprintf("  %-12s", "") } \
				line = line " " words[i] } \
			print line }' $(firstword $(MAKEFILE_LIST))
	@printf '\nVariables, such as PORT=9000, come behind the target; the READMEs explain them.\n'

##@ Run

# The program is built and then takes the recipe's place: `go run` would not hand SIGTERM on to it. Without -buildvcs=false
# Git, which trusts the checkout's owner alone, would let nobody else build it.
.PHONY: run
run: ## run everything here: PORT= AWS_PORT= PARAMS="Semaphore=4 JobMinDuration=2s" STORAGE=internal CLICKHOUSE= DATA= CONFIG= PPROF=1
	@(umask 077 && mkdir -p "$${DATA:-.local}") && mkdir -p $(dir $(LOCALSTACK))
	@test -x $(LOCALSTACK) || echo "compile the local stack, which may take a minute the first time"
	@$(GO) build -buildvcs=false -o $(LOCALSTACK) ./localstack
	@$(GO) build -buildvcs=false -o $(PARAMS_PROGRAM) ./shared/config/params
	@exec $(PARAMS_PROGRAM) $(CONFIGURATION_FLAGS) -- $(LOCALSTACK) --template infra/sam/template.yaml $(RUN_FLAGS)

# The functions' log lines are in ClickHouse, of `make up` as of `make run CLICKHOUSE=auto`. `make up` needs no Go, and without it the
# lines stay JSON. The exit status is that of the lines' source.
.PHONY: logs
logs: ## follow the functions' log lines; task=ID shows a task's
	@if [ -n "$$($(COMPOSE) ps --quiet logs 2>/dev/null)" ]; then \
		lines() { localstack/compose/logs $(if $(task),"$$task"); }; \
	else \
		$(NEED) && $(GO) build -buildvcs=false -o $(BIN)/ ./shared/logging/logs || exit; \
		lines() { $(BIN)/logs $(if $(DATA),-data "$$DATA") $(if $(task),-task "$$task"); }; \
	fi; \
	format=cat; ! $(NEED) 2>/dev/null || ! $(GO) build -buildvcs=false -o $(BIN)/ ./localstack/console/format || format=$(BIN)/format; \
	exec 3>&1; exit "$$({ { lines; echo $$? >&4; } | "$$format" >&3; } 4>&1)"

##@ Run in LocalStack, with Docker Compose

.PHONY: up
up: ## start the system in LocalStack: PORT= AWS_PORT= PARAMS= LOCALSTACK_IMAGE=
	@localstack/compose/up

.PHONY: down
down: ## stop what `make up` started; its data stays
	@localstack/compose/down

.PHONY: restart
restart: ## restart what `make up` started
	@localstack/compose/down && localstack/compose/up

.PHONY: rebuild
rebuild: ## build the images anew and restart
	@$(COMPOSE) build && localstack/compose/down && localstack/compose/up

##@ Check

.PHONY: test
test: ## run all tests with the race detector
	@$(NEED) postgres clickhouse pgbouncer cc
	$(GO) test -race -timeout 20m ./...
	@GO="$(GO)" .ci/fuzz 2s

# An input that fails is written to testdata/fuzz and is a test from then on.
FUZZTIME ?= 3m
.PHONY: fuzz
fuzz: ## fuzz every parser of foreign input for FUZZTIME=3m
	@$(NEED) cc
	@GO="$(GO)" .ci/fuzz $(FUZZTIME)

# The checks of one API, whatever serves it: make parity URL=https://….execute-api.….amazonaws.com/v1 API_KEY=…
# WAIT is how long a task may take to end (0 skips what needs an ending), TASKS how many fill the semaphore.
override URL := $(or $(value URL),http://127.0.0.1:$(or $(PORT),$(SERVER_PORT),8080))
export URL
.PHONY: parity
parity: ## check the API at any URL= against its contract: API_KEY= WAIT=12m TASKS=24
	@$(GO) run ./localstack/contract -url "$$URL" $(if $(WAIT),-wait $(WAIT)) $(if $(TASKS),-tasks $(TASKS))

# STORAGE is postgres (the default) or internal. CHAOS_SEED repeats the faults of a run. A short form, on both storages, is part of
# `make test`.
CHAOS_TIME ?= 3m
CHAOS_TASKS ?= 1200
CHAOS_SEMAPHORE ?= 16
export CHAOS_SEED
.PHONY: chaos
chaos: ## break everything at random while tasks run: STORAGE=internal CHAOS_SEED= CHAOS_TIME=3m CHAOS_TASKS=1200 CHAOS_SEMAPHORE=16
	@$(NEED) $(if $(filter internal,$(STORAGE)),,postgres) cc
	CHAOS_STORAGE="$${STORAGE:-postgres}" CHAOS_TIME=$(CHAOS_TIME) CHAOS_TASKS=$(CHAOS_TASKS) CHAOS_SEMAPHORE=$(CHAOS_SEMAPHORE) \
		$(GO) test -race -count=1 -timeout 1h -v -run '^TestChaos$$' ./localstack/e2e

# The lines are Go's benchmark format, https://go.dev/design/14313-benchmark-format: benchstat compares two runs.
#   InvokeAPI     invocations/s of a function that does nothing, beside a bare loop around the Runtime API
#   PostTask      POST /task per second through the whole stack, and the local stack's own memory
#   StartOfTask   from POST until "in process"
#   ColdStart     from the start of a function's process to its first /next
#   StartOfStack  from the start of the built stack to the first 201
#   ClaimFinish   tasks claimed and completed per second by one worker, in Postgres (without fsync) and in the internal store
.PHONY: bench
bench: ## measure throughput, latency, cold starts and memory (minutes)
	@$(NEED) postgres
	@echo "cores: $$(getconf _NPROCESSORS_ONLN)"
	$(GO) test -run '^$$' -bench '^Benchmark(InvokeAPI|PostTask|StartOfTask|StartOfStack|ColdStart|ClaimFinish)$$' -benchtime 3s \
		./localstack/lambda ./localstack/e2e ./shared/store/postgres ./shared/store/sqlite

.PHONY: bench_all
bench_all: ## run every benchmark (longer)
	@$(NEED) postgres clickhouse pgbouncer
	@echo "cores: $$(getconf _NPROCESSORS_ONLN)"
	$(GO) test -run '^$$' -bench . -benchmem -timeout 1h ./...

.PHONY: lint
lint: $(VENV)/installed ## gofmt, go vet, golangci-lint, cfn-lint
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | while read -r f; do test -f "$$f" && gofmt -l "$$f"; done); \
		test -z "$$unformatted" || { echo "not formatted, run gofmt -w:" $$unformatted >&2; exit 1; }
	$(GO) vet ./...
	$(GOLANGCI_LINT) run ./...
	$(VENV)/bin/cfn-lint infra/sam/*.yaml

.PHONY: verify-sam
verify-sam: $(VENV)/installed build ## check the template with the SAM CLI and build it
	cd infra/sam && $(SAM) validate --lint --region us-east-1
	cd infra/sam && $(LAMBDA_BUILD) $(SAM) build

##@ Build and deploy

# The SAM CLI hides the compiler's messages behind "bootstrap: directory not found"; building first shows them.
.PHONY: build
build: ## build the functions for Lambda into .local/build: ARCH=arm64 or amd64
	@for f in $(FUNCTIONS); do \
		echo "build $$f for linux/$(ARCH)"; \
		$(LAMBDA_BUILD) GOOS=linux GOARCH=$(ARCH) $(GO) build -o .local/build/$$f/bootstrap ./$$f || exit 1; \
	done

# A zip is a deflated file, as gzip's is.
.PHONY: sizes
sizes: build ## show each function's size as a zip: as deployed, and with the embedded store
	@for f in $(FUNCTIONS); do \
		$(LAMBDA_BUILD) GOOS=linux GOARCH=$(ARCH) $(GO) build -tags=lambda.norpc,nopprof -o .local/build/$$f/internal ./$$f || exit 1; \
		for b in bootstrap internal; do gzip -9c .local/build/$$f/$$b | wc -c; done | tr '\n' ' ' | \
			awk -v f=$$f '{ printf "%-18s %5.1f MB deployed, %5.1f MB with the embedded store\n", f, $$1/1e6, $$2/1e6 }'; \
		rm .local/build/$$f/internal; \
	done

# Serves the REST API by `sam local start-api` in Docker; its tasks are run by the workers of the stack that runs.
# SAM_FLAGS="--warm-containers LAZY" keeps containers; NETWORK=ksu is for the stack of `make up`.
SAM_PORT ?= 3000
SAM_ARCH = $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
.PHONY: sam-local
sam-local: $(VENV)/installed ## serve the API by `sam local start-api`, beside a running stack: SAM_PORT=3000 AWS_PORT= NETWORK= SAM_FLAGS=
	$(GO) build -buildvcs=false -o .local/bin/samlocal ./localstack/cmd/samlocal
	cd infra/sam && $(LAMBDA_BUILD) $(SAM) build ApiFunction --parameter-overrides Architecture=$(SAM_ARCH)
	@cd infra/sam && exec env $(SAM_ENV) ../../.local/bin/samlocal -aws http://127.0.0.1:$(or $(AWS_PORT),4566) -env env.json \
		-hint "start one with make run or make up" \
		-refuse "STORAGE_TYPE=internal: containers cannot share a file of tasks; run the stack with make run STORAGE=postgres" \
		$(SAM_BIN) local start-api --port $(SAM_PORT) --env-vars env.json --parameter-overrides Architecture=$(SAM_ARCH) \
		--add-host host.docker.internal:host-gateway $(if $(NETWORK),--docker-network $(NETWORK)) $(SAM_FLAGS)

.PHONY: deploy
deploy: $(VENV)/installed build ## sam build && sam deploy: DEPLOY_FLAGS="--parameter-overrides …"
	cd infra/sam && $(LAMBDA_BUILD) $(SAM) build
	cd infra/sam && $(SAM) deploy $(DEPLOY_FLAGS)

.PHONY: migrate_new
migrate_new: ## start a new migration: name=add_owner
	@test -n "$(name)" || { echo "usage: make migrate_new name=add_owner" >&2; exit 1; }
	$(GO) run ./migrate new "$(name)"

.PHONY: clean
clean: ## remove what was built; the data of `make run` stays
	rm -rf .local/bin .local/build .local/functions .local/settings $(VENV) infra/sam/.aws-sam

$(VENV)/installed: infra/sam/requirements.txt
	@.ci/need venv
	rm -rf $(VENV)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r infra/sam/requirements.txt
	@touch $@

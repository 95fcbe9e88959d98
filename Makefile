# Everything a target needs it installs itself, on a machine with Python 3, make and the ordinary package registries.
.DEFAULT_GOAL := help
.PHONY: help install run test lint format bench
BIN := .venv/bin

# Lint reads the settings as production would set them: they are checked too.
PRODUCTION_LIKE := env DEBUG=off DEMO=off HTTPS=on LOG_FORMAT=json TRUSTED_PROXY_COUNT=1 \
	SECRET_KEY=lint-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ \
	HISTORY_SIGNING_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= CALLCAP_API_KEY=lint-only \
	SITE_URL=https://portal.example ALLOWED_HOSTS=portal.example CSRF_TRUSTED_ORIGINS=https://portal.example \
	EMAIL_URL=smtp+tls://portal:password@mail.example:587 DATABASE_URL=sqlite:///var/lint.sqlite3

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

install: .venv/.installed node_modules/.installed ## Create the environment in .venv and node_modules from the lock files

.venv/.installed: uv.lock pyproject.toml .python-version
	scripts/uv sync --locked
	@mkdir -p var
	@touch $@

node_modules/.installed: package-lock.json package.json
	scripts/npm ci --include=dev --no-audit --no-fund
	@touch $@

run: install ## Run the portal with its demo and the sandbox; Ctrl-C stops everything (PORT=8000 SANDBOX_PORT=8100)
	@$(BIN)/python scripts/run

test: install ## Run every test on SQLite and on PostgreSQL, in Chromium too
	@scripts/test

lint: install ## Check style, types, imports, dependencies, settings and migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	find templates sandbox -name '*.html' -exec $(BIN)/djade --check --target-version 6.1 {} +
	$(PRODUCTION_LIKE) $(BIN)/mypy
	$(BIN)/mypy --config-file sandbox/mypy.ini
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(PRODUCTION_LIKE) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(PRODUCTION_LIKE) $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python scripts/audit

format: install ## Format Python and templates
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	find templates sandbox -name '*.html' -exec $(BIN)/djade --target-version 6.1 {} +

bench: install ## Measure what users wait for
	$(BIN)/python -m benchmarks
	scripts/with-postgres $(BIN)/python -m benchmarks

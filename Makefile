# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target is one call of tests/run.py, which builds what it needs under .cache/ first.
PYTHON ?= python3
RUN = $(PYTHON) tests/run.py

.DEFAULT_GOAL := help
.PHONY: help demo test heavy lint typing changelog docs-lint units integration molecule sanity package lab lab-heavy oldest lab-older lab-vm lab-all rulebook matrix bench bench-server docs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## an update server and its fleet in a sandbox, without root, in a minute or two
	@$(RUN) demo

test: ## every behavior, in some twelve minutes on two cores: everything below down to `lab`, and the demo
	@$(RUN) test

heavy: ## what is not for every day: long and many cases of units and lab, the oldest Python of endpoints, integration, molecule, rulebook, pylint
	@$(RUN) heavy

lint: ## ruff, yamllint, ansible-lint (production)
	@$(RUN) lint

typing: ## mypy, strict
	@$(RUN) typing

changelog: ## changelog fragments
	@$(RUN) changelog

docs-lint: ## plugin, role and guide documentation
	@$(RUN) docs-lint

units: ## unit and property tests, all cases
	@$(RUN) units units-heavy

integration: ## ansible-test integration: each module in a sandbox, without root
	@$(RUN) integration

molecule: ## molecule's scenarios: each role in a sandbox, converge, idempotence, verify, without root
	@$(RUN) molecule

sanity: ## ansible-test sanity, pylint included
	@$(RUN) sanity sanity-pylint

package: ## build the tarball, install and verify it
	@$(RUN) package

lab: ## the fleet of real machines (Linux, root)
	@$(RUN) lab

lab-heavy: ## the lab's long and many cases
	@$(RUN) lab-heavy

oldest: ## the oldest Python of endpoints: what runs on it compiles, imports and passes its unit tests there
	@$(RUN) sanity-oldest ansible-units

lab-older: ## what depends on the release, on Debian 11 and 12
	@$(RUN) lab-older

lab-vm: ## what no container can show, on a virtual machine: AppArmor, clocks that jump, suspension
	@$(RUN) lab-vm

lab-all: ## the whole lab on Debian 11, 12, 13 and the next one
	@$(RUN) lab-all

rulebook: ## an alert starts an Update Now, through ansible-rulebook (Java)
	@$(RUN) rulebook

matrix: ## ansible-core 2.18 to 2.22 and the Pythons of endpoints, as far as they are here
	@$(RUN) matrix

bench: ## converge compared with builtin modules, mitogen and pyinfra on the lab
	@$(RUN) bench

bench-server: ## what changes cost an update server of up to 100,000 endpoints
	@$(RUN) bench-server

docs: ## the HTML documentation
	@$(RUN) docs

lock: ## resolve anew what an update server installs of cvdupdate, by version and hash
	@$(RUN) lock

clean: ## remove everything that the targets above made
	@$(RUN) clean

# Shared by the layers' makefiles: hashed wheels into the layer, pruned and compiled.
#
# PYTHON                  an interpreter 3.11 whose pip does the work
# TRADING_LAYER_PLATFORM  the wheels' platform; Lambda's python3.11 (glibc 2.26) takes manylinux2014.
#                         Empty means this machine's own wheels, to run locally on macOS or ARM.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TRADING_LAYER_PLATFORM ?= manylinux2014_x86_64

site := $(ARTIFACTS_DIR)/python
for_platform := $(if $(TRADING_LAYER_PLATFORM),--platform $(TRADING_LAYER_PLATFORM) \
	--python-version 3.11 --implementation cp)
pip_install := $(PYTHON) -m pip --disable-pip-version-check install --quiet --no-compile --target "$(site)"

define install_wheels
$(pip_install) $(for_platform) --only-binary=:all: --require-hashes --no-deps -r requirements.txt
rm -rf "$(site)/bin"
endef

# Bytecode is checked against nothing at import (the layer never changes), hence the same bytes for
# the same source: no times in it. The layer's path in Lambda keeps the builder's path out of it.
define prune_and_compile
find "$(site)" -depth -type d \( -name tests -o -name test -o -name __pycache__ \) \
	-not -path '*/numpy/testing/*' -exec rm -rf {} +
find "$(site)" -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' \
	-o -name RECORD -o -name direct_url.json \) -delete
$(PYTHON) -m compileall -q -j 0 --invalidation-mode unchecked-hash \
	-s "$(site)" -p /opt/python "$(site)"
endef

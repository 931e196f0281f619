# SPDX-License-Identifier: Apache-2.0
#
# cmake -DFILE=… -DTEMPLATE=… -P sbom.cmake: writes FILE.spdx.json, the bill of materials (SPDX 2.3) of FILE. TEMPLATE is
# salvage.spdx.json.in, which cmake/components.cmake makes. The time is SOURCE_DATE_EPOCH's if that is set.
file(SHA256 "${FILE}" SHA256)
string(TIMESTAMP CREATED "%Y-%m-%dT%H:%M:%SZ" UTC)
configure_file("${TEMPLATE}" "${FILE}.spdx.json")

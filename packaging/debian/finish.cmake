# What Debian wants of a package besides its files (debian-policy 12): pages and changelogs compressed,
# a copyright file. And what the program is made of, once it has the form in which it is packed, with the
# notices of what was compiled into it. CPack runs this between installing the files and packing them.
file(READ "${CPACK_KITH_SOURCE}/packaging/debian/copyright" copyright)
# Without this variable: the time of packing. CMake reads it too.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

set(tree "${CPACK_TEMPORARY_DIRECTORY}/kith/usr")
file(MAKE_DIRECTORY "${tree}/share/doc/kith")
execute_process(
  COMMAND "${CPACK_KITH_PYTHON}" -B "${CPACK_KITH_SOURCE}/packaging/sbom.py" "${CPACK_KITH_BUILD}" "${tree}/bin/kith"
          "${tree}/share/doc/kith/sbom.spdx.json" --notices "${tree}/share/doc/kith/notices"
  COMMAND_ERROR_IS_FATAL ANY)

function(compress file)
  execute_process(COMMAND gzip -9nf "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(package kith kith-host)
  set(tree "${CPACK_TEMPORARY_DIRECTORY}/${package}/usr")
  file(GLOB pages "${tree}/share/man/man1/*.1")
  set(papers "${tree}/share/doc/${package}")
  file(WRITE "${papers}/copyright" "${copyright}")
  file(WRITE "${papers}/changelog.Debian" "kith (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Packaged; changelog.gz says what is new.

 -- ${CPACK_DEBIAN_PACKAGE_MAINTAINER}  ${date}
")
  file(COPY_FILE "${CPACK_KITH_SOURCE}/CHANGELOG.md" "${papers}/changelog")
  foreach(file ${pages} "${papers}/changelog" "${papers}/changelog.Debian")
    compress("${file}")
  endforeach()
endforeach()

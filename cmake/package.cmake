# Debian packages by CPack: `scripts/package.sh`, or `cpack --config BUILD/CPackConfig.cmake`.
#
#   kith       the program with its pages, its completion and a unit for each user
#   kith-host  for a machine that serves others: a system unit, a user for it, an example configuration
#
# Two, because whoever has the program for himself needs no further user on his machine. kith-sim is for
# people who work on Kith, and stays out.
file(READ packaging/kith.service kith_user_unit)
string(REPLACE "=%h/.local/bin/kith" "=/usr/bin/kith" kith_user_unit "${kith_user_unit}")
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/units/kith.service" CONTENT "${kith_user_unit}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS packaging/kith.service)
install(FILES "${CMAKE_BINARY_DIR}/units/kith.service" DESTINATION lib/systemd/user COMPONENT kith-user-unit
        EXCLUDE_FROM_ALL)
install(FILES packaging/kith-mediator.service DESTINATION lib/systemd/system COMPONENT kith-host EXCLUDE_FROM_ALL)
install(FILES packaging/kith.toml DESTINATION share/doc/kith-host/examples COMPONENT kith-host EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL kith-programs kith-user-unit kith-host)
set(CPACK_COMPONENT_KITH-PROGRAMS_GROUP kith)
set(CPACK_COMPONENT_KITH-USER-UNIT_GROUP kith)
set(CPACK_COMPONENT_KITH-HOST_GROUP kith-host)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_SOURCE_DIR}/packaging/debian/finish.cmake")
set(CPACK_KITH_SOURCE "${CMAKE_SOURCE_DIR}")
set(CPACK_KITH_BUILD "${CMAKE_BINARY_DIR}")
set(CPACK_KITH_PYTHON "${Python3_EXECUTABLE}")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Kith <root@localhost>")  # Made here, for this machine: see package.sh.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # The first line of each package's own description.

set(CPACK_DEBIAN_KITH_PACKAGE_NAME kith)
set(CPACK_DEBIAN_KITH_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_KITH_PACKAGE_SUGGESTS libp11-kit0)  # For key tokens.
set(CPACK_DEBIAN_KITH_DESCRIPTION "social recovery of keys and identities
People whom you trust give you back keys that you lost: you choose them, and
how many of them are enough. None of them, nor any server, can use your
backup or act for you.

This program is your agent, theirs, the mediator that keeps mail and sealed
backups, and the ledger that shows who may act for an identity.")

set(CPACK_DEBIAN_KITH-HOST_PACKAGE_NAME kith-host)
set(CPACK_DEBIAN_KITH-HOST_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_KITH-HOST_PACKAGE_DEPENDS
    "kith (>= ${PROJECT_VERSION}), kith (<< ${PROJECT_VERSION}.1~), adduser")
set(CPACK_DEBIAN_KITH-HOST_PACKAGE_CONTROL_EXTRA
    "${CMAKE_SOURCE_DIR}/packaging/debian/postinst;${CMAKE_SOURCE_DIR}/packaging/debian/prerm;${CMAKE_SOURCE_DIR}/packaging/debian/postrm")
set(CPACK_DEBIAN_KITH-HOST_DESCRIPTION "social recovery: serving others as mediator or ledger host
A system service that runs kith under a user of its own, for a machine that
relays mail, keeps sealed backups or hosts a ledger for other people.

Nothing is started by the installation.")
include(CPack)

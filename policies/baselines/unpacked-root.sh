#!/bin/sh
# unpacked-root.sh FOLDER PACKAGE...: makes a root for a static program in FOLDER: the packages unpacked, never installed
#
# No script of a package is run and nothing that can be run is left: certificates, time zones, names of users and ports.
# The database of dpkg lists the packages, so that scanners see them.
set -eu
root=$1
shift

mkdir -p "$root/var/lib/dpkg/info" "$root/etc/ssl/certs" "$root/tmp" /tmp/debs
cd /tmp/debs
apt-get update
apt-get -o APT::Sandbox::User=root download "$@"
for deb in *.deb; do
  name=$(dpkg-deb -f "$deb" Package)
  dpkg-deb -x "$deb" "$root"
  dpkg-deb -f "$deb" | sed '/^Package:/a Status: install ok installed' >> "$root/var/lib/dpkg/status"
  echo >> "$root/var/lib/dpkg/status"
  dpkg-deb --fsys-tarfile "$deb" | tar -tf - | sed 's,^\./,/,; s,\(.\)/$,\1,' > "$root/var/lib/dpkg/info/$name.list"
done

cat "$root"/usr/share/ca-certificates/mozilla/*.crt > "$root/etc/ssl/certs/ca-certificates.crt"
find "$root" -type f -perm /111 -delete
rm -rf "$root/usr/share/ca-certificates" "$root/usr/share/man" "$root/usr/share/info" "$root/usr/share/lintian" "$root/etc/update-motd.d"
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
find "$root" -depth -type d -empty -path '*/usr/share/*' -delete
find "$root" -type d -perm /6000 -exec chmod a-s {} +

printf '%s\n' 'root:x:0:0:root:/root:/nonexistent' 'app:x:10001:10001::/nonexistent:/nonexistent' > "$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'app:x:10001:' > "$root/etc/group"
chmod 1777 "$root/tmp"

#!/usr/bin/env bash
# Makes the committed files of samples/payload anew: a real Windows program and real registry hives.
# Needs gcc-mingw-w64-x86-64 and hivexregedit (libwin-hivex-perl); run `npm run build` first.
set -euo pipefail
cd "$(dirname "$0")/payload"

x86_64-w64-mingw32-gcc -Os -s -nostdlib -Wl,--no-insert-timestamp -e start -o greet.exe greet.c -lkernel32

node ../../dist/samples/make-empty-hives.js .
merge() { hivexregedit --merge --prefix "HKEY_LOCAL_MACHINE\\$1" "$1.hiv"; }
merge SYSTEM <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001]

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control]

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\ComputerName]

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="CONTAINER"

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services]

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Tcpip]

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Parameters]
"Hostname"="container"
"EnableICMPRedirect"=dword:00000001

[HKEY_LOCAL_MACHINE\SYSTEM\Select]
"Current"=dword:00000001
"Default"=dword:00000001
REG
merge SOFTWARE <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft]

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT]

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion]
"ProductName"="Windows Server 2016 Datacenter"
"CurrentBuild"="14393"
"EditionID"="ServerDatacenter"

[HKEY_LOCAL_MACHINE\SOFTWARE\Classes]

[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\.txt]
@="txtfile"
REG
merge SAM <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SAM\SAM]

[HKEY_LOCAL_MACHINE\SAM\SAM\Domains]

[HKEY_LOCAL_MACHINE\SAM\SAM\Domains\Account]
"V"=hex:00,01,02,03
REG
merge SECURITY <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SECURITY\Policy]

[HKEY_LOCAL_MACHINE\SECURITY\Policy\PolAdtEv]
@=hex(0):00
REG
merge DEFAULT <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\DEFAULT\Control Panel]

[HKEY_LOCAL_MACHINE\DEFAULT\Control Panel\International]
"Locale"="00000409"
REG

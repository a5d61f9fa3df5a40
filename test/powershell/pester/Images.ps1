# A drive with two sound archives in a folder, and one that is cut in half.
. (Join-Path $PSScriptRoot 'Setup.ps1')
$Drive = (Get-Item TestDrive:/).FullName
Push-Location -LiteralPath $Drive
$Images = Join-Path $Drive images
$null = New-Item -ItemType Directory -Path $Images
Copy-Item -LiteralPath $Shop -Destination (Join-Path $Images 'shop one.tar')
Copy-Item -LiteralPath $Shop -Destination (Join-Path $Images 'shop two.tar')
$Damaged = Join-Path $Drive damaged.tar
$bytes = [System.IO.File]::ReadAllBytes($Shop)
[System.IO.File]::WriteAllBytes($Damaged, $bytes[0..([int] ($bytes.Length / 2))])

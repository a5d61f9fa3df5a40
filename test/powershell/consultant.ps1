# What a consultant would write: takes a folder of saved images into a repository, passes over what is there, keeps what
# went wrong, and leaves a table and a page to mail. Run it as often as you like.
param([string] $Folder, [string] $Repository, [string] $Output)
Set-StrictMode -Version Latest
Import-Module Transship

$there = @()
if (Test-Path -LiteralPath $Repository) { $there = @(Get-ContainerPackage "inbox:$Repository").Names }
$rows = foreach ($file in Get-ChildItem -LiteralPath $Folder -Filter *.tar | Sort-Object -Property Name) {
    $row = [pscustomobject] @{ File = $file.Name; Image = ''; State = 'failed'; Package = ''; MB = 0; Losses = 0; Code = ''; Advice = '' }
    try {
        $image = $file | Get-ContainerPackage -ErrorAction Stop | Select-Object -First 1
        $row.Image = $image.Name
        if ($image.Name -in $there) { $row.State = 'there already' }
        else {
            $result = $file | Convert-ContainerPackage -Destination "inbox:$Repository" -Layers chain -ErrorAction Stop
            $package = $result.Artifacts[-1]
            if (-not ($package | Test-ContainerPackage -Quiet)) { throw "$($package.Identity) is damaged." }
            $row.State = 'converted'
            $row.Package = $package.Identity
            $row.MB = [math]::Round($result.BytesRead / 1MB, 1)
            $row.Losses = @($result.Losses).Count
            $there += $image.Names
        }
    }
    catch { $row.Code = ($_.FullyQualifiedErrorId -split ',')[0]; $row.Advice = "$($_.Exception.Message) $($_.ErrorDetails.RecommendedAction)" }
    $row
}
$rows | Export-Csv -LiteralPath (Join-Path $Output 'migration.csv') -NoTypeInformation -Encoding UTF8
$summary = ($rows | Group-Object -Property State | ForEach-Object { "$($_.Count) $($_.Name)" }) -join ', '
$rows | ConvertTo-Html -Title 'Container migration' -PreContent "<h1>Container migration</h1><p>$summary</p>" | Set-Content -LiteralPath (Join-Path $Output 'migration.html') -Encoding UTF8
if (@($rows | Where-Object -Property State -EQ failed).Count -gt 0) { exit 1 }

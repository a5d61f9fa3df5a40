param(
    # Inbox: also gives the names that the Technical Preview's cmdlets had to those of ours that do their work.
    [ValidateSet('', 'Inbox')]
    [string] $Names = ''
)

Set-StrictMode -Version 3.0

if ($PSVersionTable.PSVersion.Major -gt 5 -and $PSVersionTable.PSVersion -lt [version] '7.5') {
    # Before, ConvertFrom-Json turns any text that looks like a date into one, and registry values would change.
    throw 'Transship needs Windows PowerShell 5.1, or PowerShell 7.5 or later.'
}

$script:ModuleRoot = $PSScriptRoot
# Windows PowerShell has no $IsWindows.
$script:OnWindows = [System.Environment]::OSVersion.Platform -eq 'Win32NT'

foreach ($folder in 'Private', 'Public') {
    foreach ($file in Get-ChildItem -LiteralPath (Join-Path -Path $PSScriptRoot -ChildPath $folder) -Filter *.ps1 | Sort-Object -Property Name) {
        . $file.FullName
    }
}
Register-TransshipCompleter

# The old name, and ours. The table with all of the old cmdlets is in about_Transship.
$script:InboxAliases = [ordered]@{
    'Get-ContainerImage'    = 'Get-ContainerPackage'
    'Test-ContainerImage'   = 'Test-ContainerPackage'
    'Export-ContainerImage' = 'Export-ContainerPackage'
    'Import-ContainerImage' = 'Import-ContainerPackage'
    'Get-Container'         = 'Get-ComputeContainer'
    'Stop-Container'        = 'Stop-ComputeContainer'
    'Get-ComputeProcess'    = 'Get-ComputeContainer'
    'Stop-ComputeProcess'   = 'Stop-ComputeContainer'
}
if ($Names -eq 'Inbox') {
    # Global, and not in the manifest: there they would make PowerShell load this module for a name that it gives only
    # on request.
    foreach ($name in $script:InboxAliases.Keys) {
        $taken = Get-Command -Name $name -ErrorAction Ignore
        if ($taken -and $taken.Source -ne 'Transship' -and "$($taken.Definition)" -ne $script:InboxAliases[$name]) {
            Write-Warning -Message "$name stays what it is: $($taken.CommandType) $($taken.Source)".Trim()
            continue
        }
        Set-Alias -Name $name -Value $script:InboxAliases[$name] -Scope Global
    }
    $ExecutionContext.SessionState.Module.OnRemove = {
        foreach ($name in $script:InboxAliases.Keys) {
            $alias = Get-Alias -Name $name -Scope Global -ErrorAction Ignore
            if ($alias -and $alias.Definition -eq $script:InboxAliases[$name]) { Remove-Item -LiteralPath "alias:$name" }
        }
    }
}

Export-ModuleMember -Function @(
    'Convert-ContainerPackage'
    'Get-ContainerPackage'
    'Test-ContainerPackage'
    'Compare-ContainerPackage'
    'Get-ContainerPackageFile'
    'Get-ContainerPackageRegistry'
    'Invoke-ContainerMigration'
    'Export-ContainerPackage'
    'Import-ContainerPackage'
    'Get-ComputeContainer'
    'Stop-ComputeContainer'
    'Wait-ComputeContainer'
    'Export-ComputeLayer'
    'Import-ComputeLayer'
)

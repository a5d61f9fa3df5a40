# What the suites share: the module, the samples, and a folder that goes away with the test.
$script:Project = (Resolve-Path -LiteralPath (Join-Path $PSScriptRoot '../../..')).ProviderPath
$script:ModulePath = Join-Path $Project 'powershell/Transship'
$script:Shop = Join-Path $Project 'samples/shop.tar'
$script:Repository = Join-Path $Project 'samples/repository'
Import-Module (Join-Path $ModulePath 'Transship.psd1') -Force
$PSStyle.OutputRendering = 'PlainText'
$env:TRANSSHIP = $null

function Copy-ToDrive([string] $Path, [string] $Name) {
    # A copy below TestDrive, as a path that a program can open.
    $target = Join-Path (Get-Item TestDrive:/).FullName $Name
    Copy-Item -LiteralPath $Path -Destination $target -Recurse
    $target
}

function Get-Failure([scriptblock] $Work) {
    # The errors that a cmdlet writes, none of which may end the pipeline.
    $ErrorActionPreference = 'Continue'
    , @(& $Work 2>&1 | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
}

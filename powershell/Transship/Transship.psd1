@{
    RootModule           = 'Transship.psm1'
    ModuleVersion        = '1.0.0'
    GUID                 = '6e0f0a0e-5c4e-4c55-9d3e-8a1c7d5f2b47'
    Author               = 'The transship authors'
    CompanyName          = 'The transship authors'
    Copyright            = '(c) The transship authors. MIT licence.'
    Description          = 'Carries work between Docker images and inbox packages of Windows, in both directions; compares, checks and opens them; lists, stops and kills the containers of a host, whoever started them.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FormatsToProcess     = @('Transship.format.ps1xml')
    FunctionsToExport    = @(
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
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags         = @('Windows', 'Container', 'Containers', 'Docker', 'containerd', 'Podman', 'OCI', 'Image', 'Migration', 'HCS', 'PSEdition_Desktop', 'PSEdition_Core')
            Prerelease   = 'rc1'
            LicenseUri   = 'https://opensource.org/license/mit'
            ReleaseNotes = 'First release: conversion both ways, comparison, checks, files and registry of a package, migrations by a plan, .appx files, and the containers of a host with or without the command line. Needs the transship command line 1.0, but for Get-ComputeContainer, Stop-ComputeContainer and Wait-ComputeContainer on Windows.'
        }
    }
}

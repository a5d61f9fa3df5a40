@{
    RootModule           = 'Transship.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '6e0f0a0e-5c4e-4c55-9d3e-8a1c7d5f2b47'
    Author               = 'The transship authors'
    Description          = 'Carries work between Docker images and inbox packages of Windows, and shows and ends the containers of a host. Thin over the transship command line.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport    = @(
        'Convert-ContainerPackage'
        'Get-ContainerPackage'
        'Test-ContainerPackage'
        'Get-ComputeContainer'
        'Stop-ComputeContainer'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('Windows', 'Containers', 'Docker', 'Migration')
        }
    }
}

function Import-ContainerPackage {
    <#
    .SYNOPSIS
    Takes a package from a file (.appx) into a repository.

    .DESCRIPTION
    The packages that it depends on have to be in the repository already, or with -Base somewhere else.

    .PARAMETER Path
    The file, or a folder of them.

    .PARAMETER Repository
    The folder of the repository, with or without inbox: in front. A new one is made.

    .PARAMETER Base
    Where to find packages that it depends on; nearest first.

    .PARAMETER Replace
    Overwrites a package of the same identity.

    .EXAMPLE
    Import-ContainerPackage E:\Transfer\CN=Contoso_Shop_1.2.0.0.appx -Repository D:\Repository

    Takes one file into a repository.

    .EXAMPLE
    Get-ChildItem E:\Transfer\*.appx | Import-ContainerPackage -Repository D:\Repository

    Takes all files of a folder, in the order of their names.

    .INPUTS
    Strings and files.

    .OUTPUTS
    Transship.Conversion, as Convert-ContainerPackage gives it.

    .LINK
    Export-ContainerPackage

    .LINK
    about_Transship
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Transship.Conversion')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Path,

        [Parameter(Mandatory, Position = 1)]
        [string] $Repository,

        [string[]] $Base,

        [switch] $Replace
    )

    process {
        $file = $null
        $file = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path)
        $folder = $null
        $folder = $PSCmdlet.GetUnresolvedProviderPathFromPSPath(($Repository -replace '^inbox:'))
        # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
        $isAllowed = $false
        $isAllowed = $PSCmdlet.ShouldProcess($folder, "Import $file")
        if (-not $isAllowed) { return }
        $arguments = @('convert', "appx:$file", "inbox:$folder")
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option ([ordered]@{ Base = '--base'; Replace = '--replace' }))
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Path -Activity "Importing $file"
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        Write-Finding -Document $answer.Document
        ConvertTo-Conversion -Document $answer.Document
    }
}

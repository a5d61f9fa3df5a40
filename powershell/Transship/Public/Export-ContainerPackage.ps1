function Export-ContainerPackage {
    <#
    .SYNOPSIS
    Writes a package, or an image as a package, to a file that can be carried away (.appx).

    .DESCRIPTION
    A file holds one package. A folder gets the packages that it depends on as well, a file of each; one that is there
    already with the same content is left as it is. Anything that was not written is a warning.

    .PARAMETER Reference
    The package: inbox:REPOSITORY:PACKAGE, or any other reference or path.

    .PARAMETER Path
    A file ending in .appx, or a folder, in which files are named after their packages.

    .PARAMETER Replace
    Overwrites what exists there.

    .EXAMPLE
    Export-ContainerPackage inbox:D:\Repository:Shop -Path E:\Transfer

    Writes one package into a folder, with those it depends on.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Export-ContainerPackage -Path E:\Transfer

    Writes every package of a repository.

    .INPUTS
    Strings, and objects with a property Reference.

    .OUTPUTS
    Transship.Conversion, as Convert-ContainerPackage gives it.

    .LINK
    Import-ContainerPackage

    .LINK
    about_Transship
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Transship.Conversion')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string] $Reference,

        [Parameter(Mandatory, Position = 1)]
        [string] $Path,

        [switch] $Replace
    )

    process {
        $file = $null
        $file = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path)
        # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
        $isAllowed = $false
        $isAllowed = $PSCmdlet.ShouldProcess($file, "Export $Reference")
        if (-not $isAllowed) { return }
        $arguments = @('convert', $Reference, "appx:$file")
        if ($Replace) { $arguments += '--replace' }
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Reference -Activity "Exporting $Reference"
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        Write-Finding -Document $answer.Document
        ConvertTo-Conversion -Document $answer.Document
    }
}

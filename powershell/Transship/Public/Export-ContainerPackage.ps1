function Export-ContainerPackage {
    <#
    .SYNOPSIS
    Writes a package, or an image as a package, to a file that can be carried away (.appx).

    .DESCRIPTION
    A file holds one package. What it depends on is not in it: export that too, or have it at the other end already.
    Anything that the file cannot store is a warning.

    .PARAMETER Reference
    The package: inbox:REPOSITORY:PACKAGE, or any other reference or path.

    .PARAMETER Path
    A file ending in .appx, or a folder, in which the file is named after the package.

    .PARAMETER Replace
    Overwrites what exists there.

    .EXAMPLE
    Export-ContainerPackage inbox:D:\Repository:Shop -Path E:\Transfer

    Writes one package into a folder.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Where-Object -Property IsOSImage -EQ $false | Export-ContainerPackage -Path E:\Transfer

    Writes every package but those of operating systems.

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
        $file = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path)
        if (-not $PSCmdlet.ShouldProcess($file, "Export $Reference")) { return }
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

function Test-ContainerPackage {
    <#
    .SYNOPSIS
    Checks every digest, size, name, link, hive, dependency and rule of an image or a package.

    .DESCRIPTION
    Gives an object with the property Ok, and all faults, not only the first. Every byte that anything refers to is
    read. With -Quiet only true or false. Faults that are found are a result, not an error; an error is a source that
    cannot be read at all.

    .PARAMETER Reference
    What to check: TRANSPORT:LOCATION, or an existing path, which is recognised by its content.

    .PARAMETER Base
    Where to find a base that it only names; nearest first.

    .PARAMETER Parent
    What a transport layout builds on, as layout:DIR; nearest first.

    .PARAMETER Platform
    Checks only what is for this platform, for example windows/amd64.

    .PARAMETER AcceptBaseMismatch
    Accepts a base of another version than the one named.

    .PARAMETER Quiet
    Gives true or false.

    .EXAMPLE
    (Test-ContainerPackage docker-archive:shop.tar).Faults

    What is wrong with an archive.

    .EXAMPLE
    if (-not (Test-ContainerPackage inbox:D:\Repository -Quiet)) { throw 'The repository is damaged.' }

    Stops a script when a repository is damaged.

    .INPUTS
    Strings, files, and objects with a property Reference.

    .OUTPUTS
    Transship.Verification: Reference, Ok, Faults, Layers, Bytes. With -Quiet a Boolean.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.Verification', 'System.Boolean')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference,

        [string[]] $Base,

        [string[]] $Parent,

        [string] $Platform,

        [switch] $AcceptBaseMismatch,

        [switch] $Quiet
    )

    process {
        $arguments = @('verify', $Reference) + @(Get-OptionArgument -Bound $PSBoundParameters -Option $script:ReadingOptions)
        # 1: faults were found, which is the answer and no error.
        $answer = Invoke-Transship -ArgumentList $arguments -Expected 0, 1 -Target $Reference -Activity "Checking $Reference"
        if ($answer.Failure) { $PSCmdlet.WriteError($answer.Failure) }
        elseif ($Quiet) { $answer.Document.ok }
        else { New-TransshipObject -TypeName Transship.Verification -Document $answer.Document }
    }
}

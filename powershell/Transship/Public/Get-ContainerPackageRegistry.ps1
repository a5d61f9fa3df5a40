function Get-ContainerPackageRegistry {
    <#
    .SYNOPSIS
    Gives the keys and values of the Windows registry of an image or a package after merging all layers.

    .DESCRIPTION
    One object for each key, with its values in the property Values; with -ExpandValue one object for each value. Data
    has the type of the value: text, an array of text, a number, or bytes. With -Layer the changes of one layer,
    deletions included. hive:FILE reads a bare hive file, with the logs beside it.

    SAM and SECURITY hold password hashes and secrets: their data is $null without -ShowSecret.

    .PARAMETER Reference
    Where to look: TRANSPORT:LOCATION, an existing path, which is recognised by its content, or hive:FILE.

    .PARAMETER Key
    A key in it; HKLM and HKU for the roots. Keys below it are included.

    .PARAMETER Layer
    Only the changes of this layer; the base is 0.

    .PARAMETER ExpandValue
    Gives the values in place of the keys.

    .PARAMETER IgnoreLog
    Reads a hive that was not closed as it is, even if its logs are damaged. The last changes are then missing.

    .PARAMETER ShowSecret
    Gives the data of values in SAM and SECURITY too.

    .PARAMETER Base
    Where to find a base that it only names; nearest first.

    .PARAMETER Parent
    What a transport layout builds on, as layout:DIR; nearest first.

    .PARAMETER Platform
    Takes only what is for this platform, for example windows/amd64.

    .PARAMETER AcceptBaseMismatch
    Accepts a base of another version than the one named.

    .EXAMPLE
    Get-ContainerPackageRegistry docker-archive:shop.tar HKLM\SOFTWARE\Contoso -ExpandValue

    The settings of a program.

    .EXAMPLE
    Get-ContainerPackageRegistry docker-archive:shop.tar -Layer 1 | Where-Object -Property Change -EQ deleted

    The keys that the second layer deletes.

    .INPUTS
    Strings, files, and objects with a property Reference.

    .OUTPUTS
    Transship.RegistryKey: Reference, Path, LastWriteTimeUtc, Change, Values, ClassName, Sddl, SecurityDescriptor.
    With -ExpandValue Transship.RegistryValue: Path, Name, Type, Data, Text, Size, Deleted.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.RegistryKey', 'Transship.RegistryValue')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference,

        [Parameter(Position = 1)]
        [string] $Key,

        [ValidateRange(0, 65535)]
        [int] $Layer,

        [switch] $ExpandValue,

        [switch] $IgnoreLog,

        [switch] $ShowSecret,

        [string[]] $Base,

        [string[]] $Parent,

        [string] $Platform,

        [switch] $AcceptBaseMismatch
    )

    process {
        $arguments = @('hive', $Reference)
        if ($Key) { $arguments += $Key }
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option $script:ReadingOptions)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option ([ordered]@{ Layer = '--layer'; IgnoreLog = '--ignore-logs'; ShowSecret = '--show-secrets' }))
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Reference -Activity "Reading $Reference"
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        Write-Finding -Document $answer.Document
        foreach ($row in $answer.Document.keys) {
            $values = @(foreach ($value in $row.values) {
                    New-TransshipObject -TypeName Transship.RegistryValue -Document $value -Property @{
                        Path    = $row.path
                        Data    = ConvertFrom-RegistryData -Value $value
                        Deleted = [bool] (Get-DocumentValue $value deleted)
                    }
                })
            if ($ExpandValue) {
                $values
                continue
            }
            New-TransshipObject -TypeName Transship.RegistryKey -Document $row -Property @{
                Reference        = $Reference
                Values           = $values
                LastWriteTimeUtc = ConvertFrom-FileTime $row.lastWrite
            }
        }
    }
}

function ConvertFrom-RegistryData {
    # The data of a value as PowerShell's own registry provider gives it; bytes where they are not what the type says.
    [CmdletBinding()]
    param([Parameter(Mandatory)] [object] $Value)

    $encoded = Get-DocumentValue $Value data
    if ($null -eq $encoded) { return $null }
    $bytes = [Convert]::FromBase64String($encoded)
    $isText = $bytes.Length % 2 -eq 0
    switch (Get-DocumentValue $Value type) {
        { $_ -in 'REG_SZ', 'REG_EXPAND_SZ', 'REG_LINK' -and $isText } {
            $text = [System.Text.Encoding]::Unicode.GetString($bytes)
            # One NUL ends it; a link has none.
            if ($text.EndsWith([string] [char] 0, [StringComparison]::Ordinal)) { $text = $text.Substring(0, $text.Length - 1) }
            return $text
        }
        { $_ -eq 'REG_MULTI_SZ' -and $isText } {
            $text = [System.Text.Encoding]::Unicode.GetString($bytes)
            $list = @($text.Split([char] 0))
            # Every text ends with a NUL, and one more ends the list.
            $count = $list.Count
            for ($drop = 0; $drop -lt 2 -and $count -gt 0 -and $list[$count - 1] -eq ''; $drop++) { $count-- }
            if ($count -eq 0) { return , [string[]] @() }
            return , [string[]] $list[0..($count - 1)]
        }
        { $_ -eq 'REG_DWORD' -and $bytes.Length -eq 4 } { return [BitConverter]::ToUInt32($bytes, 0) }
        { $_ -eq 'REG_QWORD' -and $bytes.Length -eq 8 } { return [BitConverter]::ToUInt64($bytes, 0) }
    }
    , $bytes
}

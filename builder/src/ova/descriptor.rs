//! The description of a machine in OVF 1.1, with what VMware adds to it: the firmware, and names for its operating systems and its network.
//!
//! The hardware is what is in every VMware since 6.5: paravirtual SCSI, VMXNET3, hardware version 13. Who deploys it chooses processors and memory anew.

use std::fmt::Write;

use anyhow::Result;
use quick_xml::escape::escape;

use super::Disk;
use crate::build::manifest::Manifest;
use crate::render::guest_os;
use crate::spec::{Hardware, Os};

/// The machine that a disk belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    name: String,
    /// Whether it starts by UEFI, and only what is signed.
    efi: bool,
    secure: bool,
    /// VMware's name for the operating system.
    guest: &'static str,
    about: String,
    cpus: u8,
    memory: u64,
    capacity: u64,
    disk: String,
    size: u64,
}

impl Machine {
    /// The machine of an image: what its manifest says, and of one without a manifest what most images are.
    pub fn of(name: &str, manifest: Option<&Manifest>, capacity: u64, disk: &Disk) -> Machine {
        let Hardware { cpus, memory, .. } = Hardware::default();
        let os = manifest.and_then(|manifest| Os::named(&manifest.os));
        let firmware = manifest.map_or("both", |manifest| manifest.firmware.as_str());
        Machine {
            name: name.to_owned(),
            efi: firmware != "bios",
            secure: firmware == "uefi-secure",
            guest: os.map_or("otherLinux64Guest", guest_os),
            about: os.map_or(String::new(), |os| os.title.to_owned()),
            cpus,
            memory: memory.in_mebibytes(),
            capacity,
            disk: disk.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            size: disk.size,
        }
    }

    /// The description.
    ///
    /// # Errors
    /// None that can happen: it is written to memory.
    pub fn ovf(&self) -> Result<String> {
        let Machine { guest, capacity, size, cpus, memory, .. } = self;
        let [name, disk, about] = [&self.name, &self.disk, &self.about].map(|text| escape(text.as_str()));
        let mut out = String::new();
        write!(
            out,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:href="{disk}" ovf:id="file1" ovf:size="{size}"/>
  </References>
  <DiskSection>
    <Info>The disk of the image</Info>
    <Disk ovf:capacity="{capacity}" ovf:capacityAllocationUnits="byte" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>The network to choose when it is deployed</Info>
    <Network ovf:name="VM Network">
      <Description>The machine's network</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="{name}">
    <Info>A machine that hardens itself at its first boot</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="101" vmw:osType="{guest}">
      <Info>The operating system</Info>
      <Description>{about}</Description>
    </OperatingSystemSection>
    <VirtualHardwareSection ovf:transport="com.vmware.guestInfo">
      <Info>The hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>
        <rasd:ElementName>{cpus} virtual processors</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>{cpus}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:ElementName>{memory} MiB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>{memory}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:Address>0</rasd:Address>
        <rasd:ElementName>SCSI controller 0</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:ElementName>Hard disk 1</rasd:ElementName>
        <rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>7</rasd:AddressOnParent>
        <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>
        <rasd:Connection>VM Network</rasd:Connection>
        <rasd:ElementName>Network adapter 1</rasd:ElementName>
        <rasd:InstanceID>5</rasd:InstanceID>
        <rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType>
        <rasd:ResourceType>10</rasd:ResourceType>
      </Item>
"#
        )?;
        if self.efi {
            out.push_str(
                "      <vmw:Config ovf:required=\"false\" vmw:key=\"firmware\" vmw:value=\"efi\"/>\n",
            );
        }
        if self.secure {
            out.push_str("      <vmw:Config ovf:required=\"false\" vmw:key=\"bootOptions.efiSecureBootEnabled\" vmw:value=\"true\"/>\n");
        }
        out.push_str("    </VirtualHardwareSection>\n  </VirtualSystem>\n</Envelope>\n");
        Ok(out)
    }
}

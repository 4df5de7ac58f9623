#pragma once

#include <vector>

// Made by optimizer_expectations.py with PyTorch 2.15.0; not to be edited.
namespace graft::testing {

inline const std::vector<double> kSgd{-0x1.97b3be47c02b4p-7, 0x1.ec30aa4495263p-4, 0x1.0a23712a4e630p-2,
                                      0x1.e27742e148acfp-4,  0x1.0a18a49ef4d0ap-2, 0x1.9619c3e3086f4p-2,
                                      0x1.0ca2a0ad6eeeap-1};

inline const std::vector<double> kSgdMomentum{-0x1.4da6567517a53p-3, 0x1.0dcb8dac8b446p-8, 0x1.822e78057d54ep-3,
                                              0x1.dd400d47d99aap-4,  0x1.3e2854caa0a38p-2, 0x1.facb37940d8ddp-2,
                                              0x1.52bd055baa49dp-1};

inline const std::vector<double> kSgdNesterov{-0x1.95db1bdfafddep-3, -0x1.1f002cecf5526p-6, 0x1.757dd40310808p-3,
                                              0x1.11459473e1b3fp-3,  0x1.5ddbb7cb267e4p-2,  0x1.12f5b036f8163p-1,
                                              0x1.6bff35ad1e3f4p-1};

inline const std::vector<double> kSgdClipped{0x1.40fe288ed29fcp-6, 0x1.1ca06f20bc799p-3, 0x1.0e2579ef1cc5cp-2,
                                             0x1.9fdd70d3582e6p-4, 0x1.d7053299a5740p-3, 0x1.6c4f90ffa4a73p-2,
                                             0x1.e8028a499bb47p-2};

inline const std::vector<double> kAdamW{-0x1.66a21a306e780p-4, 0x1.08346583dfb76p-5, 0x1.46a6324f4a0abp-3,
                                        0x1.d40fcf1476cb3p-7,  0x1.5e52ca256c348p-3, 0x1.0373aa79d163fp-1,
                                        0x1.3c52fda999153p-1};

inline const std::vector<double> kAdamWDecay{-0x1.4b21a2685c538p-4, 0x1.39c11ee76b78cp-5, 0x1.509e92e1d203cp-3,
                                             0x1.76c414acdeb01p-6,  0x1.670e35b6f3e04p-3, 0x1.016784386008bp-1,
                                             0x1.37c56967f136fp-1};

inline const std::vector<double> kAdamWClipped{-0x1.76712d68db862p-4, 0x1.ae8d920321c3cp-6, 0x1.3a01237cc0ea5p-3,
                                               0x1.d31110439a9d0p-7,  0x1.65351c384606dp-3, 0x1.03564016e5edap-1,
                                               0x1.3b4d39df3c5f3p-1};

}  // namespace graft::testing
